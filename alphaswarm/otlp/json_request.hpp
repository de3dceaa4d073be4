#pragma once

// OTLP/JSON in: transcoded to protobuf, so that everything behind has one form to deal with.
// Source: opentelemetry.io/docs/specs/otlp, "JSON Protobuf Encoding": ids are hexadecimal, 64-bit
// integers strings or numbers, enums numbers (names are taken too), keys lowerCamelCase, unknown
// fields ignored.

#include <string>
#include <string_view>

#include "alphaswarm/base/error.hpp"

namespace alphaswarm::otlp {

// The bytes of an ExportTraceServiceRequest, ready for parse_trace_request. Thread-safe. Errors are
// invalid_argument and name the field.
[[nodiscard]] Result<std::string> json_to_trace_request(std::string_view json);

}  // namespace alphaswarm::otlp
