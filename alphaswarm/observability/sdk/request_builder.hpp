#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "alphaswarm/observability/export/request_bytes.hpp"
#include "alphaswarm/observability/sdk/scope_table.hpp"

namespace alphaswarm::observability::sdk {

// The size of the length-delimited field with a one-byte tag that starts at `at`.
[[nodiscard]] inline std::size_t span_field_size(const char* at) noexcept {
  std::size_t size = 0;
  std::size_t header = 1;
  for (unsigned shift = 0;; shift += 7) {
    const auto byte = static_cast<unsigned char>(at[header++]);
    size |= static_cast<std::size_t>(byte & 0x7fU) << shift;
    if (byte < 0x80) return header + size;
  }
}

// The same with the mark of a scope, if there is one.
[[nodiscard]] inline std::size_t record_size(const char* at) noexcept {
  return at[0] == kScopeMark ? kScopeMarkBytes + span_field_size(at + kScopeMarkBytes)
                             : span_field_size(at);
}

// Puts finished spans together to an ExportTraceServiceRequest with one resource. Spans come as
// complete `ScopeSpans.spans` fields, so that a request is a frame around where they lie.
class RequestBuilder {
 public:
  // `resource` is an encoded message; `scope_fields` are ScopeSpans' fields other than its spans,
  // for spans without a mark.
  RequestBuilder(std::string_view resource, std::string_view scope_fields, std::size_t max_bytes,
                 std::uint32_t max_spans);

  // Spans without marks.
  void append(std::string_view spans, std::uint32_t count) {
    bytes_ += spans;
    count_ += count;
  }
  // The same, but only looked at when the request is sent: they MUST stay until clear().
  void refer(std::string_view spans, std::uint32_t count) {
    if (spans.size() < kWorthReferring) return append(spans, count);
    referred_.push_back(spans);
    referred_bytes_ += spans.size();
    count_ += count;
  }
  [[nodiscard]] bool refers() const noexcept { return !referred_.empty(); }
  // Spans of any scope: they are looked at one by one, and grouped.
  void append_marked(std::string_view records, std::uint32_t count);

  [[nodiscard]] std::size_t room_bytes() const noexcept {
    const std::size_t used = bytes_.size() - headroom_ + referred_bytes_ + scoped_bytes_;
    return used < max_bytes_ ? max_bytes_ - used : 0;
  }
  [[nodiscard]] std::uint32_t room_spans() const noexcept { return max_spans_ - count_; }
  [[nodiscard]] std::uint32_t span_count() const noexcept { return count_; }

  // Writes the frame around the spans; then only clear() may follow. Valid until then.
  [[nodiscard]] RequestBytes finish();
  void clear();

 private:
  struct Group {
    std::uint32_t scope;
    std::string spans;
  };
  std::string& group(std::uint32_t scope);

  static constexpr std::size_t kWorthReferring = 2'048;  // a shorter copy is cheaper than a piece

  std::string resource_;  // ResourceSpans.resource as a field
  std::string scope_;     // ScopeSpans.scope as a field, and the schema URL's
  std::size_t max_bytes_;
  std::uint32_t max_spans_;
  std::size_t headroom_;  // kept free in front of the spans
  std::uint32_t count_ = 0;
  std::string bytes_;                       // copied spans of the first scope
  std::vector<std::string_view> referred_;  // the others of it; after finish() the whole request
  std::size_t referred_bytes_ = 0;
  std::vector<Group> groups_;  // of the other scopes, in the order they came up
  std::string other_scopes_;   // their ScopeSpans, framed
  std::size_t scoped_bytes_ = 0;
};

}  // namespace alphaswarm::observability::sdk
