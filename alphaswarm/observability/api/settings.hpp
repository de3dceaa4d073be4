#pragma once

// The variables that configure tracing. ALPHASWARM_OTEL_* win over OpenTelemetry's own.

#include <span>

#include "alphaswarm/config/environment.hpp"

namespace alphaswarm::observability {

// Every variable that config_from_environment() reads, for listings.
[[nodiscard]] std::span<const config::Setting> settings() noexcept;

}  // namespace alphaswarm::observability
