// Metrics and logs beside the spans: see "Metrics" in observability.md.

#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <alphaswarm/observability/logs/logger.hpp>
#include <alphaswarm/observability/logs/spdlog.hpp>
#include <alphaswarm/observability/metrics/meter.hpp>
#include <alphaswarm/observability/tracing.hpp>
#include <cstdio>
#include <memory>

namespace otel = alphaswarm::observability;

int main() {
  auto tracing = otel::configure_tracing({.service_name = "desk"});
  if (!tracing) return 1;

  // [metrics]
  // Give .receiver = {.endpoint = "http://127.0.0.1:4317"} to export them.
  auto metrics = otel::metrics::MeterProvider::create({.service_name = "desk"});
  const auto meter = (*metrics)->meter("desk");
  const auto orders = meter.counter("orders", {.unit = "{order}"});
  const auto latency = meter.histogram("order.duration", {.unit = "s"});
  orders.add(1, {{"venue", "sim"}});
  latency.record(0.000'152);
  // In a hot loop: the attributes are looked up once.
  const auto sim = orders.bind({{"venue", "sim"}});
  for (int i = 0; i < 1000; ++i) sim.add(1);
  // [/metrics]

  // [logs]
  auto logs = otel::logs::LoggerProvider::create({.service_name = "desk"});
  spdlog::logger log("desk", std::make_shared<spdlog::sinks::stdout_sink_mt>());
  log.set_formatter(otel::logs::trace_formatter("%l %v%*"));
  log.sinks().push_back(std::make_shared<otel::logs::OtlpLogSink>((*logs)->logger("desk")));
  {
    auto order = otel::span("order");
    log.info("order sent");  // "info order sent trace_id=… span_id=…", and the same as OTLP
  }
  // [/logs]
  (*logs)->force_flush();
  std::printf("metrics %zu, log records %llu\n", (*metrics)->collect().size(),
              static_cast<unsigned long long>((*logs)->stats().exported));
}
