#pragma once

#include <string>

#include "alphaswarm/observability/api/config.hpp"

namespace alphaswarm::observability::sdk {

// The encoded opentelemetry.proto.resource.v1.Resource: what the configuration gives over the
// defaults: service.{name,namespace,version,instance.id}, host.name, process.pid,
// telemetry.sdk.{name,language,version}.
[[nodiscard]] std::string encode_resource(const Config& config);

// The encoded InstrumentationScope of spans made without a tracer of their own.
[[nodiscard]] std::string encode_scope();

}  // namespace alphaswarm::observability::sdk
