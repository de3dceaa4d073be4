#include <algorithm>

#include "alphaswarm/otlp/json_writer.hpp"
#include "alphaswarm/query/native_api.hpp"

namespace alphaswarm::query {
namespace {

using otlp::AnyValueView;
using otlp::JsonWriter;

std::string_view id_bytes(const auto& id) {
  return {reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()};
}

template <class Write>
void column(JsonWriter& json, std::string_view name, const AssembledTrace& trace, Write write) {
  json.key(name).begin_array();
  for (const AssembledTrace::Span& span : trace.spans()) write(span);
  json.end_array();
}

std::string_view type_name(AnyValueView::Type type) {
  constexpr std::string_view kNames[] = {"none",   "string", "bool", "int",
                                         "double", "array",  "map",  "bytes"};
  return kNames[static_cast<std::size_t>(type)];
}

// [{"key","type","value"}]; 64-bit integers as strings, since readers in browsers round them.
void write_attributes(JsonWriter& json, std::string_view name, otlp::AttributeRange attributes) {
  json.key(name).begin_array();
  for (const otlp::KeyValueView attribute : attributes) {
    const AnyValueView value = attribute.value();
    json.begin_object().field("key", attribute.key()).field("type", type_name(value.type()));
    json.key("value");
    if (value.type() == AnyValueView::Type::integer) {
      json.quoted_signed(value.integer());
    } else {
      otlp::write_plain_value(json, value);
    }
    json.end_object();
  }
  json.end_array();
}

void write_events(JsonWriter& json, const otlp::SpanView& span) {
  json.key("events").begin_array();
  for (const otlp::EventView event : span.events()) {
    json.begin_object().field("name", event.name).key("timeNs").quoted(event.time_ns);
    write_attributes(json, "attributes", event.attributes());
    json.end_object();
  }
  json.end_array();
}

void write_links(JsonWriter& json, const otlp::SpanView& span) {
  json.key("links").begin_array();
  for (const otlp::LinkView link : span.links()) {
    json.begin_object().key("traceId").hex(id_bytes(link.trace_id));
    json.key("spanId").hex(id_bytes(link.span_id)).field("traceState", link.trace_state);
    write_attributes(json, "attributes", link.attributes());
    json.end_object();
  }
  json.end_array();
}

}  // namespace

std::string trace_columns_json(const AssembledTrace& trace) {
  std::string out;
  out.reserve(256 + trace.spans().size() * 72);
  JsonWriter json(out);
  json.begin_object().key("traceId").hex(id_bytes(trace.id()));
  json.key("startNs").quoted(trace.start_ns()).key("durationNs").quoted(trace.duration_ns());
  json.key("services").begin_array();
  for (const std::string_view service : trace.services()) json.string(service);
  json.end_array().key("names").begin_array();
  for (const std::string_view name : trace.names()) json.string(name);
  json.end_array().key("spans").begin_object();
  using Span = AssembledTrace::Span;
  column(json, "id", trace, [&](const Span& s) { json.hex(id_bytes(s.record->id)); });
  column(json, "parent", trace, [&](const Span& s) { json.number(s.parent); });
  column(json, "service", trace, [&](const Span& s) { json.number(s.service); });
  column(json, "name", trace, [&](const Span& s) { json.number(s.name); });
  column(json, "kind", trace, [&](const Span& s) { json.number(static_cast<int>(s.kind())); });
  column(json, "status", trace,
         [&](const Span& s) { json.number(static_cast<int>(s.record->status)); });
  column(json, "start", trace,
         [&](const Span& s) { json.number(s.record->start_ns - trace.start_ns()); });
  column(json, "duration", trace, [&](const Span& s) { json.number(s.record->duration_ns); });
  column(json, "label", trace, [&](const Span& s) {
    json.string(span_label(otlp::AttributeRange(s.block->encoded(*s.record), 9)));
  });
  column(json, "events", trace, [&](const Span& s) { json.number(s.record->event_count); });
  json.end_object();
  json.field("orphans", trace.orphans()).field("openSpans", trace.open_spans());
  json.field("errors", trace.errors()).field("duplicates", trace.duplicates());
  json.field("complete",
             trace.root() != nullptr && trace.orphans() == 0 && trace.open_spans() == 0);
  json.end_object();
  return out;
}

std::string span_json(const AssembledTrace& trace, std::uint32_t index) {
  const AssembledTrace::Span& span = trace.spans()[index];
  const otlp::SpanView view = span.view();
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("traceId").hex(id_bytes(trace.id()));
  json.key("spanId").hex(id_bytes(view.span_id)).key("parentSpanId");
  view.parent_span_id.is_valid() ? json.hex(id_bytes(view.parent_span_id)) : json.string("");
  json.field("index", index).field("service", trace.services()[span.service]);
  json.key("resource");
  otlp::write_plain_attributes(json, span.resource().attributes());
  json.key("scope").begin_object().field("name", span.scope().name);
  json.field("version", span.scope().version).key("attributes");
  otlp::write_plain_attributes(json, span.scope().attributes());
  json.end_object().field("name", view.name).field("kind", otlp::to_string(view.kind));
  json.key("status").begin_object().field("code", otlp::to_string(view.status));
  json.field("message", view.status_message).end_object();
  json.key("startNs").quoted(view.start_ns).key("endNs").quoted(view.end_ns);
  json.key("durationNs").quoted(span.record->duration_ns);
  json.field("traceState", view.trace_state)
      .field("flags", view.flags)
      .field("open", span.record->open);
  json.field("label", span_label(view.attributes()));
  write_attributes(json, "attributes", view.attributes());
  write_events(json, view);
  write_links(json, view);
  json.key("dropped").begin_object().field("attributes", view.dropped_attributes);
  json.field("events", view.dropped_events).field("links", view.dropped_links).end_object();
  json.end_object();
  return out;
}

}  // namespace alphaswarm::query
