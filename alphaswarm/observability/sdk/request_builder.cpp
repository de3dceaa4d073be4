#include "alphaswarm/observability/sdk/request_builder.hpp"

#include "alphaswarm/otlp/encode.hpp"

namespace alphaswarm::observability::sdk {
namespace {

using otlp::tag;
using otlp::WireType;

// Field numbers of opentelemetry/proto/trace/v1/trace.proto.
constexpr std::uint32_t kResourceSpans = 1;  // of TracesData and ExportTraceServiceRequest
constexpr std::uint32_t kResource = 1;       // of ResourceSpans
constexpr std::uint32_t kScopeSpans = 2;     // of ResourceSpans

}  // namespace

RequestBuilder::RequestBuilder(std::string_view resource, std::string_view scope_fields,
                               std::size_t max_bytes, std::uint32_t max_spans)
    : resource_(otlp::MessageWriter().bytes(kResource, resource).str()),
      scope_(scope_fields),
      max_bytes_(max_bytes),
      max_spans_(max_spans),
      headroom_(resource_.size() + scope_.size() + 2 * (1 + otlp::kMaxVarintBytes)) {
  clear();
}

void RequestBuilder::clear() {
  bytes_.assign(headroom_, '\0');
  referred_.clear();
  other_scopes_.clear();
  groups_.clear();
  referred_bytes_ = scoped_bytes_ = 0;
  count_ = 0;
}

std::string& RequestBuilder::group(std::uint32_t scope) {
  for (Group& each : groups_) {
    if (each.scope == scope) return each.spans;
  }
  return groups_.emplace_back(scope).spans;
}

void RequestBuilder::append_marked(std::string_view records, std::uint32_t count) {
  const char* at = records.data();
  const char* const end = at + records.size();
  while (at != end) {
    const std::uint32_t scope = scope_at(at);
    if (scope != 0) at += kScopeMarkBytes;
    const std::size_t size = span_field_size(at);
    if (scope == 0) {
      bytes_.append(at, size);
    } else {
      group(scope).append(at, size);
      scoped_bytes_ += size;
    }
    at += size;
  }
  count_ += count;
}

RequestBytes RequestBuilder::finish() {
  const std::size_t spans = bytes_.size() - headroom_ + referred_bytes_;
  for (const Group& each : groups_) {
    const std::string_view scope = scopes().fields(each.scope);
    char room[1 + otlp::kMaxVarintBytes];
    room[0] = static_cast<char>(tag(kScopeSpans, WireType::length));
    other_scopes_.append(room, otlp::put_varint(room + 1, scope.size() + each.spans.size()));
    other_scopes_.append(scope).append(each.spans);
  }
  const std::size_t others = other_scopes_.size();
  // Without spans of the first scope, that has no part either.
  const bool first = spans != 0 || groups_.empty();
  const std::size_t scope_spans = scope_.size() + spans;
  const std::size_t scope_frame =
      first ? 1 + otlp::varint_size(scope_spans) + scope_.size() : std::size_t{0};
  const std::size_t resource_spans = resource_.size() + scope_frame + spans + others;
  const std::size_t frame = 1 + otlp::varint_size(resource_spans) + resource_.size() + scope_frame;
  char* out = bytes_.data() + headroom_ - frame;
  *out++ = static_cast<char>(tag(kResourceSpans, WireType::length));
  out = otlp::put_varint(out, resource_spans);
  out = otlp::put_bytes(out, resource_);
  if (first) {
    *out++ = static_cast<char>(tag(kScopeSpans, WireType::length));
    out = otlp::put_varint(out, scope_spans);
    otlp::put_bytes(out, scope_);
  }
  referred_.insert(referred_.begin(), std::string_view(bytes_).substr(headroom_ - frame));
  if (!other_scopes_.empty()) referred_.emplace_back(other_scopes_);
  return RequestBytes(referred_);
}

}  // namespace alphaswarm::observability::sdk
