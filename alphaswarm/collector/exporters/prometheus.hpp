#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "alphaswarm/collector/config.hpp"
#include "alphaswarm/collector/connectors/span_metrics.hpp"
#include "alphaswarm/collector/exporters/metrics_text.hpp"
#include "alphaswarm/net/http_server.hpp"

namespace alphaswarm::collector {

// calls and duration of each connector, named as the OpenTelemetry Collector's exporter names them:
// traces_span_metrics_calls_total, traces_span_metrics_duration_seconds.
void write_span_metrics(MetricsText& text, const SpanMetrics& source,
                        const PrometheusExporterConfig& config);

// Serves GET /metrics; OpenMetrics where it is enabled and asked for. `unavailable` if the port is
// taken. `runtime` MUST outlive the server.
[[nodiscard]] Result<std::unique_ptr<net::HttpServer>> serve_metrics(
    net::Runtime& runtime, const Endpoint& endpoint, bool enable_open_metrics,
    std::function<void(MetricsText&)> write);

}  // namespace alphaswarm::collector
