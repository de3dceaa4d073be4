#pragma once

#include <span>

#include "alphaswarm/config/environment.hpp"

namespace alphaswarm::observability::metrics {

// Every variable metrics_config_from_environment() reads besides those of
// observability::settings().
[[nodiscard]] std::span<const config::Setting> settings() noexcept;

}  // namespace alphaswarm::observability::metrics
