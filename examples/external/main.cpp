// Traces, metrics and logs of a program outside of the tree, built against the installed package
// by CMake or by pkg-config:
//   c++ -std=c++23 main.cpp $(pkg-config --cflags --libs alphaswarm-observability)

#include <cstdio>
#include <memory>

#include <alphaswarm/observability/api/provider.hpp>
#include <alphaswarm/observability/export/memory.hpp>
#include <alphaswarm/observability/logs/logger.hpp>
#include <alphaswarm/observability/metrics/meter.hpp>
#include <alphaswarm/observability/tracing.hpp>

namespace observability = alphaswarm::observability;

int main() {
  auto memory = std::make_shared<observability::MemorySink>();
  auto tracing = observability::configure_tracing(
      observability::Config{.service_name = "external", .sink = memory});
  auto metrics = observability::metrics::MeterProvider::create({.service_name = "external"});
  auto logs = observability::logs::LoggerProvider::create({.service_name = "external"});
  if (!tracing || !metrics || !logs) return 1;
  const auto orders = (*metrics)->meter("external").counter("orders");
  {
    auto span = observability::span("order");
    orders.add(1, {{"venue", "sim"}});
    (*logs)->logger("external").emit({.body = "order sent"});
  }
  tracing.force_flush();
  (*logs)->force_flush();
  std::printf("spans %zu, metrics %zu, logs %llu\n", memory->spans().size(),
              (*metrics)->collect().size(),
              static_cast<unsigned long long>((*logs)->stats().exported));
}
