#include "alphaswarm/collector/config.hpp"

namespace alphaswarm::collector {

std::vector<std::uint64_t> SpanMetricsConfig::default_buckets() {
  std::vector<std::uint64_t> buckets;
  for (std::uint64_t decade = 1'000; decade <= 1'000'000'000; decade *= 10) {  // 1 µs … 5 s
    for (const std::uint64_t step : {1, 2, 5}) buckets.push_back(decade * step);
  }
  buckets.push_back(10'000'000'000);
  return buckets;
}

CollectorConfig embedded_profile() {
  CollectorConfig config;
  config.receivers["otlp"] =
      OtlpReceiverConfig{.grpc = OtlpGrpcReceiverConfig{}, .http = OtlpHttpReceiverConfig{}};
  config.receivers["in_process"] = InProcessReceiverConfig{};
  config.processors["memory_limiter"] = MemoryLimiterConfig{};
  config.processors["batch"] = BatchConfig{};
  config.exporters["store"] = StoreExporterConfig{};
  config.pipelines.push_back({.id = "traces",
                              .receivers = {"otlp", "in_process"},
                              .processors = {"memory_limiter", "batch"},
                              .exporters = {"store", "spanmetrics"}});
  config.connectors["spanmetrics"] = SpanMetricsConfig{.unit_seconds = true};
  config.exporters["prometheus"] = PrometheusExporterConfig{.enable_open_metrics = true};
  config.pipelines.push_back({.id = "metrics",
                              .receivers = {"spanmetrics"},
                              .processors = {},
                              .exporters = {"prometheus"}});
  config.telemetry = Endpoint{.port = 8888};
  return config;
}

void shift_ports(CollectorConfig& config, std::uint16_t offset) {
  const auto shift = [offset](Endpoint& endpoint) {
    if (endpoint.port != 0) endpoint.port = static_cast<std::uint16_t>(endpoint.port + offset);
  };
  for (auto& [id, receiver] : config.receivers) {
    if (auto* otlp = std::get_if<OtlpReceiverConfig>(&receiver)) {
      if (otlp->grpc) shift(otlp->grpc->endpoint);
      if (otlp->http) shift(otlp->http->endpoint);
    }
  }
  for (auto& [id, exporter] : config.exporters) {
    if (auto* prometheus = std::get_if<PrometheusExporterConfig>(&exporter)) {
      shift(prometheus->endpoint);
    }
  }
  if (config.telemetry) shift(*config.telemetry);
}

}  // namespace alphaswarm::collector
