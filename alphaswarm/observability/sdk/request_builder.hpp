#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

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

// Puts finished spans together to an ExportTraceServiceRequest with one resource and one scope.
// Spans come as complete `ScopeSpans.spans` fields, so that building is copying.
class RequestBuilder {
 public:
  // `resource` and `scope` are encoded messages.
  RequestBuilder(std::string_view resource, std::string_view scope, std::size_t max_bytes,
                 std::uint32_t max_spans);

  void append(std::string_view spans, std::uint32_t count) {
    bytes_ += spans;
    count_ += count;
  }
  [[nodiscard]] std::size_t room_bytes() const noexcept {
    const std::size_t used = bytes_.size() - headroom_;
    return used < max_bytes_ ? max_bytes_ - used : 0;
  }
  [[nodiscard]] std::uint32_t room_spans() const noexcept { return max_spans_ - count_; }
  [[nodiscard]] std::uint32_t span_count() const noexcept { return count_; }

  // Writes the frame in front of the spans. Valid until the next call of append() or clear().
  [[nodiscard]] std::string_view finish();
  void clear();

 private:
  std::string resource_;  // ResourceSpans.resource as a field
  std::string scope_;     // ScopeSpans.scope as a field
  std::size_t max_bytes_;
  std::uint32_t max_spans_;
  std::size_t headroom_;  // kept free in front of the spans
  std::uint32_t count_ = 0;
  std::string bytes_;
};

}  // namespace alphaswarm::observability::sdk
