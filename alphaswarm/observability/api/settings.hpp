#pragma once

#include <span>

#include "alphaswarm/config/environment.hpp"

namespace alphaswarm::observability {

// Every variable config_from_environment() reads, for `alphaswarm settings` and the reference.
[[nodiscard]] std::span<const config::Setting> settings() noexcept;

}  // namespace alphaswarm::observability
