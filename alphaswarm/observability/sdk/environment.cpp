#include "alphaswarm/config/environment.hpp"
#include "alphaswarm/observability/api/provider.hpp"

namespace alphaswarm::observability {
Result<Config> config_from_environment(const config::Environment&, std::string_view) {
  return Config{};
}
}  // namespace alphaswarm::observability
