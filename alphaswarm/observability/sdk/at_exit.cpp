#include "alphaswarm/observability/sdk/at_exit.hpp"

#include "alphaswarm/observability/api/switch.hpp"

#if ALPHASWARM_OTEL

#include <algorithm>
#include <cstdlib>

#include "alphaswarm/base/time.hpp"
#include "alphaswarm/observability/sdk/provider_core.hpp"

namespace alphaswarm::observability {
namespace {

constexpr std::int64_t kAllProvidersMs = 5'000;

void flush_all() {
  const std::int64_t begin = monotonic_ns();
  for (detail::ProviderCore* core = detail::ProviderCore::first(); core != nullptr;
       core = core->next()) {
    const std::int64_t left = kAllProvidersMs - (monotonic_ns() - begin) / 1'000'000;
    static_cast<void>(
        core->shutdown(std::clamp<std::int64_t>(left, 0, core->config.shutdown_timeout_ms)));
  }
}

}  // namespace

void flush_at_exit() noexcept {
  static const int kRegistered = std::atexit(flush_all);
  static_cast<void>(kRegistered);
}

}  // namespace alphaswarm::observability

#endif
