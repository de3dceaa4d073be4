#include "alphaswarm/collector/exporters/prometheus.hpp"

#include "alphaswarm/base/time.hpp"
#include "alphaswarm/net/task.hpp"

namespace alphaswarm::collector {
namespace {

std::string joined_name(const PrometheusExporterConfig& config, const SpanMetrics& source,
                        std::string_view metric) {
  std::string name = metric_name(config.name_space);
  for (const std::string_view part : {std::string_view(source.config().name_space), metric}) {
    if (part.empty()) continue;
    if (!name.empty()) name += '_';
    name += metric_name(part);
  }
  return name;
}

struct Row {
  const SpanSeries* series;
  std::string labels;
};

std::vector<Row> rows_of(const SpanMetrics& source, const std::vector<SpanSeries>& all,
                         const PrometheusExporterConfig& config) {
  std::vector<Row> rows;
  const std::int64_t now = monotonic_ns();
  const std::int64_t expiry = std::chrono::nanoseconds(config.metric_expiration).count();
  for (const SpanSeries& series : all) {
    if (expiry > 0 && now - series.updated_ns > expiry) continue;
    Row row{&series, {}};
    if (series.labels.empty()) {
      append_label(row.labels, "otel.metric.overflow", "true");
    } else {
      append_label(row.labels, "job", series.labels.front());
      for (std::size_t i = 0; i < series.labels.size(); ++i) {
        if (!series.labels[i].empty() || i < 4) {
          append_label(row.labels, source.label_names()[i], series.labels[i]);
        }
      }
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

void write_histogram(MetricsText& text, const Row& row, const SpanMetrics& source, double unit_ns) {
  const auto& bounds = source.config().buckets_ns;
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < row.series->buckets.size(); ++i) {
    below += row.series->buckets[i];
    const std::string bound =
        i == bounds.size() ? "+Inf" : number_text(static_cast<double>(bounds[i]) / unit_ns);
    text.sample("_bucket", row.labels + ",le=\"" + bound + "\"", below);
    if (row.series->exemplars.empty() || row.series->exemplars[i].time_ns == 0) continue;
    const Exemplar& example = row.series->exemplars[i];
    text.exemplar(label_text({{"trace_id", example.trace_id.to_hex()},
                              {"span_id", example.span_id.to_hex()}}),
                  static_cast<double>(example.duration_ns) / unit_ns,
                  static_cast<double>(example.time_ns) * 1e-9);
  }
  text.sample("_sum", row.labels, static_cast<double>(row.series->sum_ns) / unit_ns);
  text.sample("_count", row.labels, row.series->calls);
}

bool wants_open_metrics(const net::HttpRequest& request) {
  const auto accept = request.headers.get("accept");
  return accept && accept->find("application/openmetrics-text") != std::string_view::npos;
}

}  // namespace

void write_span_metrics(MetricsText& text, const SpanMetrics& source,
                        const PrometheusExporterConfig& config) {
  const std::vector<SpanSeries> all = source.series();
  const std::vector<Row> rows = rows_of(source, all, config);
  if (rows.empty()) return;
  text.family(joined_name(config, source, "calls"), MetricsText::Type::counter,
              "Spans by service, name, kind and status.");
  for (const Row& row : rows) text.sample("", row.labels, row.series->calls);
  const bool seconds = source.config().unit_seconds;
  text.family(joined_name(config, source, seconds ? "duration_seconds" : "duration_milliseconds"),
              MetricsText::Type::histogram, "Durations of spans.");
  for (const Row& row : rows) write_histogram(text, row, source, seconds ? 1e9 : 1e6);
}

Result<std::unique_ptr<net::HttpServer>> serve_metrics(net::Runtime& runtime,
                                                       const Endpoint& endpoint,
                                                       bool enable_open_metrics,
                                                       std::function<void(MetricsText&)> write) {
  auto handler = [enable_open_metrics, write = std::move(write)](
                     const net::HttpRequest& request) -> net::task<net::HttpResponse> {
    MetricsText text(enable_open_metrics && wants_open_metrics(request)
                         ? MetricsText::Format::open_metrics
                         : MetricsText::Format::prometheus);
    write(text);
    const std::string_view type = text.content_type();
    co_return net::HttpResponse::text(200, text.finish(), type);
  };
  net::Router router;
  router.add({.method = "GET", .path = "/metrics", .handler = std::move(handler)});
  net::HttpServerConfig http;
  http.address = endpoint.host == "localhost" ? "127.0.0.1" : endpoint.host;
  http.port = endpoint.port;
  return net::HttpServer::start(runtime, std::move(router), http);
}

}  // namespace alphaswarm::collector
