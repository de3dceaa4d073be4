#pragma once

// OTLP/JSON out: ids in hexadecimal, 64-bit integers as strings, enums as numbers, unset fields
// left out.

#include "alphaswarm/otlp/json_writer.hpp"
#include "alphaswarm/otlp/views.hpp"

namespace alphaswarm::otlp {

// [{"key":…,"value":{"stringValue":…}}, …]
void write_otlp_attributes(JsonWriter& json, AttributeRange attributes);
// One Span message.
void write_otlp_span(JsonWriter& json, const SpanView& span);

}  // namespace alphaswarm::otlp
