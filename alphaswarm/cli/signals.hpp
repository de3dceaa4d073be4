#pragma once

// Metrics and logs of a process as OTLP, beside its spans: where OTEL_METRICS_EXPORTER and
// OTEL_LOGS_EXPORTER ask for them. Log lines name the span they were written in, always.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "alphaswarm/config/environment.hpp"
#include "alphaswarm/observability/api/provider.hpp"
#include "alphaswarm/observability/logs/logger.hpp"
#include "alphaswarm/observability/metrics/meter.hpp"

namespace alphaswarm::cli {

using ResourceAttributes = std::vector<std::pair<std::string, std::string>>;
// Which receivers of metrics and logs count.
enum class Receivers : std::uint8_t {
  all,
  // Only those that OTEL_EXPORTER_OTLP_{METRICS,LOGS}_ENDPOINT name: for a collector, whose general
  // endpoint is its own address as often as not. It never sends to itself unless these say so, and
  // then refuses what comes, since it takes spans only: there is no loop.
  named,
};

// What all telemetry of this process says of it; what the user has set stays.
void identify(ResourceAttributes& resource);

// One a process: it owns the log's suffix and listener.
class Signals {
 public:
  // `suffix` is "-api", "-worker", …; empty where one process has several roles.
  [[nodiscard]] static Result<std::unique_ptr<Signals>> start(
      const config::Environment& environment, std::string_view suffix,
      Receivers receivers = Receivers::all);
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  // The health of a service's spans among the metrics, as long as the result lives; it must not
  // outlive the provider.
  [[nodiscard]] std::vector<observability::metrics::Observation> observe(
      const observability::TracerProvider& provider);
  // Exports what is left; call it while what is observed still lives. Later calls do nothing.
  void stop();

 private:
  Signals() = default;
  std::unique_ptr<observability::metrics::MeterProvider> metrics_;  // null: not asked for
  std::unique_ptr<observability::logs::LoggerProvider> logs_;       // null: not asked for
  std::vector<observability::metrics::Observation> process_;
};

}  // namespace alphaswarm::cli
