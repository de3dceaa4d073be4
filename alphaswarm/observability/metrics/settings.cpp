#include "alphaswarm/observability/metrics/settings.hpp"

#include <algorithm>

#include "alphaswarm/observability/export/signal_settings.hpp"
#include "alphaswarm/observability/metrics/meter.hpp"

namespace alphaswarm::observability::metrics {
namespace {

constexpr config::Setting kSettings[] = {
    {"OTEL_METRICS_EXPORTER", "none", "otlp, console or none"},
    {"OTEL_METRIC_EXPORT_INTERVAL", "60000", "Milliseconds between two exports of metrics"},
    {"OTEL_METRIC_EXPORT_TIMEOUT", "30000",
     "Milliseconds for one export; the smaller timeout wins"},
    {"OTEL_METRICS_EXEMPLAR_FILTER", "trace_based", "trace_based, always_on or always_off"},
    {"OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "cumulative",
     "cumulative, delta or lowmemory"},
    {"OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION", "explicit_bucket_histogram",
     "explicit_bucket_histogram or base2_exponential_bucket_histogram"},
    {"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "", "OTEL_EXPORTER_OTLP_ENDPOINT for metrics; wins"},
    {"OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "", "OTEL_EXPORTER_OTLP_PROTOCOL for metrics; wins"},
    {"OTEL_EXPORTER_OTLP_METRICS_HEADERS", "", "OTEL_EXPORTER_OTLP_HEADERS for metrics; wins",
     true},
    {"OTEL_EXPORTER_OTLP_METRICS_TIMEOUT", "", "OTEL_EXPORTER_OTLP_TIMEOUT for metrics; wins"},
    {"OTEL_EXPORTER_OTLP_METRICS_COMPRESSION", "",
     "OTEL_EXPORTER_OTLP_COMPRESSION for metrics; wins"},
    {"OTEL_EXPORTER_OTLP_METRICS_CERTIFICATE", "",
     "OTEL_EXPORTER_OTLP_CERTIFICATE for metrics; wins"},
    {"OTEL_EXPORTER_OTLP_METRICS_CLIENT_CERTIFICATE", "",
     "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE for metrics; wins"},
    {"OTEL_EXPORTER_OTLP_METRICS_CLIENT_KEY", "",
     "OTEL_EXPORTER_OTLP_CLIENT_KEY for metrics; wins"},
};

}  // namespace

std::span<const config::Setting> settings() noexcept { return kSettings; }

Result<MetricsConfig> metrics_config_from_environment(const config::Environment& environment,
                                                      std::string_view role_suffix) {
  SignalReader reader(environment, kSettings, "METRICS");
  MetricsConfig config;
  const std::string exporter = reader.exporter();
  config.console = exporter == "console";
  reader.identity(role_suffix, config.service_name, config.resource);
  reader.receiver(exporter, config.receiver);
  static constexpr std::string_view kTemporalities[] = {"cumulative", "delta", "lowmemory"};
  const std::string temporality =
      reader.choice("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", kTemporalities);
  if (temporality == "delta") config.temporality = TemporalityPreference::delta;
  if (temporality == "lowmemory") config.temporality = TemporalityPreference::low_memory;
  static constexpr std::string_view kFilters[] = {"trace_based", "always_on", "always_off"};
  const std::string filter = reader.choice("OTEL_METRICS_EXEMPLAR_FILTER", kFilters);
  if (filter == "always_on") config.exemplars = ExemplarFilter::always_on;
  if (filter == "always_off") config.exemplars = ExemplarFilter::always_off;
  static constexpr std::string_view kKinds[] = {"explicit_bucket_histogram",
                                                "base2_exponential_bucket_histogram"};
  if (reader.choice("OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION", kKinds) ==
      kKinds[1]) {
    config.histogram = HistogramKind::exponential;
  }
  reader.integer("OTEL_METRIC_EXPORT_INTERVAL", 1, 86'400'000, config.interval_ms);
  reader.integer("OTEL_METRIC_EXPORT_TIMEOUT", 1, 3'600'000, config.export_timeout_ms);
  if (reader.error()) return std::unexpected(*reader.error());
  return config;
}

}  // namespace alphaswarm::observability::metrics
