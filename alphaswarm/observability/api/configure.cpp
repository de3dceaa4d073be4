#include "alphaswarm/observability/api/configure.hpp"

#include <cstdlib>
#include <cstring>
#include <string>

#include "alphaswarm/config/environment.hpp"
#include "alphaswarm/observability/api/provider.hpp"

namespace alphaswarm::observability::inline ALPHASWARM_OTEL_NAMESPACE {

Tracing Tracing::failed(std::string_view why) {
  Tracing made(nullptr);
  auto* const text = static_cast<char*>(std::calloc(why.size() + 1, 1));
  if (text != nullptr) std::memcpy(text, why.data(), why.size());
  made.error_ = text;
  return made;
}

Tracing::~Tracing() {
  delete provider_;
  std::free(const_cast<char*>(error_));
}

bool Tracing::force_flush(std::int64_t timeout_ms) {
  return provider_ != nullptr && provider_->force_flush(timeout_ms);
}
bool Tracing::shutdown(std::int64_t timeout_ms) {
  return provider_ != nullptr && provider_->shutdown(timeout_ms);
}

namespace detail {

Tracing configure_by(Config config) {
  auto provider = TracerProvider::create(std::move(config));
  if (!provider) return Tracing::failed(provider.error().message);
  (*provider)->install_as_default();
  return Tracing(provider->release());
}

}  // namespace detail

Tracing configure_tracing(const TracingOptions& options) {
  return detail::configure_by({.service_name = std::string(options.service_name),
                               .endpoint = std::string(options.endpoint),
                               .console = options.console,
                               .sample_ratio = options.sample_ratio});
}

Tracing configure_tracing() {
  const Result<config::Environment> environment = config::Environment::load();
  if (!environment) return Tracing::failed(environment.error().message);
  Result<Config> config = config_from_environment(*environment, {});
  if (!config) return Tracing::failed(config.error().message);
  return detail::configure_by(std::move(*config));
}

}  // namespace alphaswarm::observability::inline ALPHASWARM_OTEL_NAMESPACE
