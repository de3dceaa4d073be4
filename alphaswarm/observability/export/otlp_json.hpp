#pragma once

#include <string>
#include <string_view>

#include "alphaswarm/base/error.hpp"

namespace alphaswarm::observability {

// An ExportTraceServiceRequest from protobuf to OTLP/JSON, in one line.
[[nodiscard]] Result<std::string> to_otlp_json(std::string_view request);

}  // namespace alphaswarm::observability
