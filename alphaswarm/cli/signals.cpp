#include "alphaswarm/cli/signals.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "alphaswarm/base/ids.hpp"
#include "alphaswarm/base/log.hpp"
#include "alphaswarm/cli/version.hpp"
#include "alphaswarm/observability/api/span.hpp"
#include "alphaswarm/observability/metrics/process_metrics.hpp"
#include "alphaswarm/observability/metrics/sdk_health.hpp"

namespace alphaswarm::cli {
namespace {

namespace logs = observability::logs;
namespace metrics = observability::metrics;

// Each: what is left of the two seconds a service may take to stop.
constexpr std::int64_t kLastExportMs = 200;

std::string ids_of_current_span() {
  const observability::SpanContext context = observability::current_context();
  if (!context.is_valid()) return {};
  return fmt::format(" trace_id={} span_id={}", context.trace_id.to_hex(),
                     context.span_id.to_hex());
}

void emit(const logs::Logger& logger, LogLevel level, std::string_view part,
          std::string_view message) {
  static constexpr std::pair<logs::Severity, std::string_view> kSeverities[] = {
      {logs::Severity::debug, "debug"},
      {logs::Severity::info, "info"},
      {logs::Severity::warn, "warning"},
      {logs::Severity::error, "error"},
  };
  const auto& [severity, text] = kSeverities[static_cast<unsigned>(level)];
  logger.emit({.severity = severity,
               .severity_text = text,
               .body = message,
               .attributes = {{"log.logger", part}}});
}

// Where only named receivers count: forgets any other.
void keep_if_named(const config::Environment& environment, std::string_view signal,
                   observability::ReceiverConfig& receiver) {
  const std::string variable = fmt::format("OTEL_EXPORTER_OTLP_{}_ENDPOINT", signal);
  if (!receiver.sends() || environment.find(variable)) return;
  receiver.endpoint.clear();
  log_warning("signals", variable + " is not set: nothing is sent to the general endpoint, which " +
                             "may be this very process");
}

}  // namespace

void identify(ResourceAttributes& resource) {
  static const std::string kInstance = random_uuid();
  const auto add = [&](std::string_view key, std::string_view value) {
    const auto same = [&](const auto& pair) { return pair.first == key; };
    if (std::ranges::none_of(resource, same)) resource.emplace_back(key, value);
  };
  add("service.version", kVersion);
  add("service.namespace", "alphaswarm");
  add("service.instance.id", kInstance);
}

Result<std::unique_ptr<Signals>> Signals::start(const config::Environment& environment,
                                                std::string_view suffix, Receivers receivers) {
  std::unique_ptr<Signals> signals(new Signals);
  auto measured = metrics::metrics_config_from_environment(environment, suffix);
  if (!measured) return std::unexpected(measured.error());
  auto logged = logs::logs_config_from_environment(environment, suffix);
  if (!logged) return std::unexpected(logged.error());
  if (receivers == Receivers::named) {
    keep_if_named(environment, "METRICS", measured->receiver);
    keep_if_named(environment, "LOGS", logged->receiver);
  }
  set_log_suffix(ids_of_current_span);
  if (measured->receiver.sends() || measured->console) {
    identify(measured->resource);
    auto provider = metrics::MeterProvider::create(std::move(*measured));
    if (!provider) return std::unexpected(provider.error());
    signals->metrics_ = std::move(*provider);
    metrics::export_counters(*signals->metrics_);
    signals->process_ =
        metrics::observe_process(signals->metrics_->meter("alphaswarm.process", kVersion));
  }
  if (logged->receiver.sends()) {
    identify(logged->resource);
    auto provider = logs::LoggerProvider::create(std::move(*logged));
    if (!provider) return std::unexpected(provider.error());
    signals->logs_ = std::move(*provider);
    set_log_listener([logger = signals->logs_->logger("alphaswarm", kVersion)](
                         LogLevel level, std::string_view part, std::string_view message) {
      emit(logger, level, part, message);
    });
  }
  return signals;
}

Signals::~Signals() {
  stop();
  set_log_suffix(nullptr);
}

std::vector<metrics::Observation> Signals::observe(const observability::TracerProvider& provider) {
  if (metrics_ == nullptr) return {};
  return metrics::observe_sdk(metrics_->meter("alphaswarm.sdk", kVersion), provider);
}

void Signals::stop() {
  if (metrics_ != nullptr) static_cast<void>(metrics_->shutdown(kLastExportMs));
  set_log_listener(nullptr);
  if (logs_ != nullptr) static_cast<void>(logs_->shutdown(kLastExportMs));
}

}  // namespace alphaswarm::cli
