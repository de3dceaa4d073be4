#include "alphaswarm/observability/export/otlp_json.hpp"

#include "alphaswarm/otlp/trace_json.hpp"

namespace alphaswarm::observability {
namespace {

void write_scope(otlp::JsonWriter& json, const otlp::TraceBatch& batch, std::uint32_t index) {
  const otlp::ScopeView& scope = batch.scopes[index];
  json.begin_object().key("scope").begin_object().field("name", scope.name);
  json.field("version", scope.version).key("attributes");
  otlp::write_otlp_attributes(json, scope.attributes());
  json.end_object();
  if (!scope.schema_url.empty()) json.field("schemaUrl", scope.schema_url);
  json.key("spans").begin_array();
  for (const otlp::SpanView& span : batch.spans) {
    if (span.scope == index) otlp::write_otlp_span(json, span);
  }
  json.end_array().end_object();
}

}  // namespace

Result<std::string> to_otlp_json(std::string_view request) {
  const auto batch = otlp::parse_trace_request(SharedBytes(std::string(request)));
  if (!batch) return std::unexpected(batch.error());
  std::string text;
  otlp::JsonWriter json(text);
  json.begin_object().key("resourceSpans").begin_array();
  for (std::uint32_t resource = 0; resource < batch->resources.size(); ++resource) {
    json.begin_object().key("resource").begin_object().key("attributes");
    otlp::write_otlp_attributes(json, batch->resources[resource].attributes());
    json.end_object().key("scopeSpans").begin_array();
    for (std::uint32_t scope = 0; scope < batch->scopes.size(); ++scope) {
      if (batch->scopes[scope].resource == resource) write_scope(json, *batch, scope);
    }
    json.end_array().end_object();
  }
  json.end_array().end_object();
  return text;
}

}  // namespace alphaswarm::observability
