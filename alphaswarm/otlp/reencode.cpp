#include "alphaswarm/otlp/reencode.hpp"

#include <algorithm>

#include "alphaswarm/otlp/encode.hpp"

namespace alphaswarm::otlp {

std::string encode_spans(const TraceBatch& batch, std::size_t first, std::size_t count) {
  const std::size_t end =
      first + std::min(count, batch.spans.size() - std::min(first, batch.spans.size()));
  MessageWriter request;
  for (std::size_t i = first; i < end;) {
    const std::uint32_t scope_index = batch.spans[i].scope;
    const ScopeView& scope = batch.scopes[scope_index];
    const ResourceView& resource = batch.resources[scope.resource];
    MessageWriter scope_spans;
    scope_spans.bytes(1, scope.encoded);
    for (; i < end && batch.spans[i].scope == scope_index; ++i) {
      scope_spans.bytes(2, batch.spans[i].encoded);
    }
    if (!scope.schema_url.empty()) scope_spans.bytes(3, scope.schema_url);
    MessageWriter resource_spans;
    resource_spans.bytes(1, resource.encoded).bytes(2, scope_spans.str());
    if (!resource.schema_url.empty()) resource_spans.bytes(3, resource.schema_url);
    request.bytes(1, resource_spans.str());
  }
  return request.str();
}

}  // namespace alphaswarm::otlp
