#include "alphaswarm/otlp/trace_json.hpp"

namespace alphaswarm::otlp {
namespace {

std::string_view id_bytes(const auto& id) {
  return {reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()};
}

void write_value(JsonWriter& json, const AnyValueView& value) {
  using Type = AnyValueView::Type;
  json.begin_object();
  switch (value.type()) {
    case Type::none:
      break;
    case Type::text:
      json.field("stringValue", value.text());
      break;
    case Type::boolean:
      json.field("boolValue", value.boolean());
      break;
    case Type::integer:
      json.key("intValue").quoted_signed(value.integer());
      break;
    case Type::real:
      json.key("doubleValue").number(value.real());
      break;
    case Type::bytes:
      json.key("bytesValue").base64(value.text());
      break;
    case Type::array:
      json.key("arrayValue").begin_object().key("values").begin_array();
      for (const AnyValueView element : value.elements()) write_value(json, element);
      json.end_array().end_object();
      break;
    case Type::map:
      json.key("kvlistValue").begin_object().key("values");
      write_otlp_attributes(json, value.entries());
      json.end_object();
      break;
  }
  json.end_object();
}

void optional_text(JsonWriter& json, std::string_view key, std::string_view text) {
  if (!text.empty()) json.field(key, text);
}
void optional_number(JsonWriter& json, std::string_view key, std::uint32_t number) {
  if (number != 0) json.field(key, number);
}
void optional_attributes(JsonWriter& json, AttributeRange attributes) {
  if (attributes.empty()) return;
  json.key("attributes");
  write_otlp_attributes(json, attributes);
}

void write_events(JsonWriter& json, const SpanView& span) {
  if (span.event_count == 0) return;
  json.key("events").begin_array();
  for (const EventView event : span.events()) {
    json.begin_object().key("timeUnixNano").quoted(event.time_ns);
    optional_text(json, "name", event.name);
    optional_attributes(json, event.attributes());
    optional_number(json, "droppedAttributesCount", event.dropped_attributes);
    json.end_object();
  }
  json.end_array();
}

void write_links(JsonWriter& json, const SpanView& span) {
  if (span.link_count == 0) return;
  json.key("links").begin_array();
  for (const LinkView link : span.links()) {
    json.begin_object().key("traceId").hex(id_bytes(link.trace_id));
    json.key("spanId").hex(id_bytes(link.span_id));
    optional_text(json, "traceState", link.trace_state);
    optional_attributes(json, link.attributes());
    optional_number(json, "droppedAttributesCount", link.dropped_attributes);
    optional_number(json, "flags", link.flags);
    json.end_object();
  }
  json.end_array();
}

}  // namespace

void write_otlp_attributes(JsonWriter& json, AttributeRange attributes) {
  json.begin_array();
  for (const KeyValueView attribute : attributes) {
    json.begin_object().field("key", attribute.key()).key("value");
    write_value(json, attribute.value());
    json.end_object();
  }
  json.end_array();
}

void write_otlp_span(JsonWriter& json, const SpanView& span) {
  json.begin_object().key("traceId").hex(id_bytes(span.trace_id));
  json.key("spanId").hex(id_bytes(span.span_id));
  if (span.parent_span_id.is_valid()) json.key("parentSpanId").hex(id_bytes(span.parent_span_id));
  optional_text(json, "traceState", span.trace_state);
  optional_number(json, "flags", span.flags);
  json.field("name", span.name);
  optional_number(json, "kind", static_cast<std::uint32_t>(span.kind));
  json.key("startTimeUnixNano").quoted(span.start_ns).key("endTimeUnixNano").quoted(span.end_ns);
  optional_attributes(json, span.attributes());
  optional_number(json, "droppedAttributesCount", span.dropped_attributes);
  write_events(json, span);
  optional_number(json, "droppedEventsCount", span.dropped_events);
  write_links(json, span);
  optional_number(json, "droppedLinksCount", span.dropped_links);
  json.key("status").begin_object();
  optional_text(json, "message", span.status_message);
  optional_number(json, "code", static_cast<std::uint32_t>(span.status));
  json.end_object().end_object();
}

}  // namespace alphaswarm::otlp
