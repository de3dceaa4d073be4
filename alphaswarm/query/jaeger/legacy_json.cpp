#include "alphaswarm/query/jaeger/legacy_json.hpp"

#include <unordered_map>

namespace alphaswarm::query::jaeger {
namespace {

using otlp::AnyValueView;
using otlp::JsonWriter;

void write_tag(JsonWriter& json, std::string_view key, std::string_view type,
               std::string_view text) {
  json.begin_object().field("key", key).field("type", type).field("value", text).end_object();
}

void write_tag(JsonWriter& json, std::string_view key, const AnyValueView& value) {
  using Type = AnyValueView::Type;
  switch (value.type()) {
    case Type::boolean:
      json.begin_object().field("key", key).field("type", "bool");
      json.field("value", value.boolean()).end_object();
      break;
    case Type::integer:
      json.begin_object().field("key", key).field("type", "int64");
      json.field("value", value.integer()).end_object();
      break;
    case Type::real:
      json.begin_object().field("key", key).field("type", "float64");
      json.key("value").number(value.real()).end_object();
      break;
    case Type::bytes:
      write_tag(json, key, "binary", otlp::to_text(value));
      break;
    case Type::text:
      write_tag(json, key, "string", value.text());
      break;
    case Type::none:
    case Type::array:
    case Type::map:
      write_tag(json, key, "string", otlp::to_text(value));
      break;
  }
}

void write_tags(JsonWriter& json, otlp::AttributeRange attributes, std::string_view skip = {}) {
  for (const otlp::KeyValueView attribute : attributes) {
    if (skip.empty() || attribute.key() != skip) {
      write_tag(json, attribute.key(), attribute.value());
    }
  }
}

void write_span_tags(JsonWriter& json, const tracestore::Scope& scope, const otlp::SpanView& view) {
  json.key("tags").begin_array();
  if (!scope.name.empty()) write_tag(json, "otel.scope.name", "string", scope.name);
  if (!scope.version.empty()) write_tag(json, "otel.scope.version", "string", scope.version);
  write_tags(json, view.attributes());
  if (view.kind != otlp::SpanKind::unspecified) {
    write_tag(json, "span.kind", "string", otlp::to_string(view.kind));
  }
  if (view.status != otlp::StatusCode::unset) {
    const bool failed = view.status == otlp::StatusCode::error;
    write_tag(json, "otel.status_code", "string", failed ? "ERROR" : "OK");
    if (failed) {
      json.begin_object().field("key", "error").field("type", "bool");
      json.field("value", true).end_object();
    }
  }
  if (!view.status_message.empty()) {
    write_tag(json, "otel.status_description", "string", view.status_message);
  }
  if (!view.trace_state.empty()) write_tag(json, "w3c.tracestate", "string", view.trace_state);
  json.end_array();
}

void write_reference(JsonWriter& json, std::string_view type, const TraceId& trace,
                     const SpanId& span) {
  json.begin_object().field("refType", type).field("traceID", trace_id_text(trace));
  json.field("spanID", span.to_hex()).end_object();
}

// The parent as CHILD_OF and links as FOLLOWS_FROM; a link to the parent replaces the former.
void write_references(JsonWriter& json, const otlp::SpanView& view) {
  bool linked_parent = false;
  if (view.link_count != 0) {
    for (const otlp::LinkView link : view.links()) {
      linked_parent =
          linked_parent || (link.trace_id == view.trace_id && link.span_id == view.parent_span_id);
    }
  }
  json.key("references").begin_array();
  if (view.parent_span_id.is_valid() && !linked_parent) {
    write_reference(json, "CHILD_OF", view.trace_id, view.parent_span_id);
  }
  if (view.link_count != 0) {
    for (const otlp::LinkView link : view.links()) {
      const AnyValueView type = otlp::find_attribute(link.attributes(), "opentracing.ref_type");
      write_reference(json, type.text() == "child_of" ? "CHILD_OF" : "FOLLOWS_FROM", link.trace_id,
                      link.span_id);
    }
  }
  json.end_array();
}

void write_logs(JsonWriter& json, const otlp::SpanView& view) {
  json.key("logs").begin_array();
  if (view.event_count != 0) {
    for (const otlp::EventView event : view.events()) {
      json.begin_object().field("timestamp", event.time_ns / 1'000).key("fields").begin_array();
      if (!event.name.empty()) write_tag(json, "event", "string", event.name);
      write_tags(json, event.attributes());
      json.end_array().end_object();
    }
  }
  json.end_array();
}

}  // namespace

std::string trace_id_text(const TraceId& id) {
  std::string hex = id.to_hex();
  if (hex.starts_with("0000000000000000")) hex.erase(0, 16);
  return hex;
}

void write_trace(JsonWriter& json, const AssembledTrace& trace) {
  const std::string trace_id = trace_id_text(trace.id());
  std::unordered_map<const tracestore::Resource*, std::size_t> processes;
  std::vector<const tracestore::Resource*> order;
  json.begin_object().field("traceID", trace_id).key("spans").begin_array();
  for (const AssembledTrace::Span& span : trace.spans()) {
    const otlp::SpanView view = span.view();
    const auto [process, added] = processes.try_emplace(&span.resource(), order.size() + 1);
    if (added) order.push_back(&span.resource());
    json.begin_object().field("traceID", trace_id).field("spanID", view.span_id.to_hex());
    if (view.flags != 0) json.field("flags", view.flags);
    json.field("operationName", view.name);
    write_references(json, view);
    json.field("startTime", view.start_ns / 1'000).field("duration", view.duration_ns() / 1'000);
    write_span_tags(json, span.scope(), view);
    write_logs(json, view);
    json.field("processID", "p" + std::to_string(process->second));
    json.key("warnings").null().end_object();
  }
  json.end_array().key("processes").begin_object();
  for (std::size_t i = 0; i < order.size(); ++i) {
    json.key("p" + std::to_string(i + 1)).begin_object().field("serviceName", order[i]->service);
    json.key("tags").begin_array();
    write_tags(json, order[i]->attributes(), "service.name");
    json.end_array().end_object();
  }
  json.end_object().key("warnings").null().end_object();
}

}  // namespace alphaswarm::query::jaeger
