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
constexpr std::uint32_t kScope = 1;          // of ScopeSpans

}  // namespace

RequestBuilder::RequestBuilder(std::string_view resource, std::string_view scope,
                               std::size_t max_bytes, std::uint32_t max_spans)
    : resource_(otlp::MessageWriter().bytes(kResource, resource).str()),
      scope_(otlp::MessageWriter().bytes(kScope, scope).str()),
      max_bytes_(max_bytes),
      max_spans_(max_spans),
      headroom_(resource_.size() + scope_.size() + 2 * (1 + otlp::kMaxVarintBytes)) {
  clear();
}

void RequestBuilder::clear() {
  bytes_.assign(headroom_, '\0');
  count_ = 0;
}

std::string_view RequestBuilder::finish() {
  const std::size_t spans = bytes_.size() - headroom_;
  const std::size_t scope_spans = scope_.size() + spans;
  const std::size_t resource_spans =
      resource_.size() + 1 + otlp::varint_size(scope_spans) + scope_spans;
  const std::size_t frame = 1 + otlp::varint_size(resource_spans) + resource_.size() + 1 +
                            otlp::varint_size(scope_spans) + scope_.size();
  char* out = bytes_.data() + headroom_ - frame;
  *out++ = static_cast<char>(tag(kResourceSpans, WireType::length));
  out = otlp::put_varint(out, resource_spans);
  out = otlp::put_bytes(out, resource_);
  *out++ = static_cast<char>(tag(kScopeSpans, WireType::length));
  out = otlp::put_varint(out, scope_spans);
  otlp::put_bytes(out, scope_);
  return std::string_view(bytes_).substr(headroom_ - frame);
}

}  // namespace alphaswarm::observability::sdk
