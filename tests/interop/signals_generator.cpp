// Makes one request of metrics and one of log records, with every kind of instrument and value;
// writes them to FOLDER/metrics.bin and logs.bin, then sends the very same bytes to a receiver.
//   signals_generator FOLDER ENDPOINT grpc|http/protobuf gzip|none

#include <cstdio>
#include <fstream>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "alphaswarm/observability/api/provider.hpp"
#include "alphaswarm/observability/api/span.hpp"
#include "alphaswarm/observability/logs/logger.hpp"
#include "alphaswarm/observability/metrics/meter.hpp"

namespace {

namespace observability = alphaswarm::observability;
namespace logs = observability::logs;
namespace metrics = observability::metrics;

class Keeping final : public observability::BatchSink {
 public:
  observability::SinkResult send(const observability::Batch& batch,
                                 std::chrono::milliseconds) override {
    request = batch.request.joined();
    items = batch.span_count;
    return {};
  }
  std::string request;
  std::uint32_t items = 0;
};

void measure(metrics::MeterProvider& provider) {
  const metrics::Meter meter = provider.meter("shop", "1.2");
  const auto counter = meter.counter("orders", {"{order}", "Orders made"});
  counter.add(3, {{"venue", "sim"}, {"live", false}, {"lot", 100}, {"price", 1.25}});
  counter.add(4, {{"text", "caf\xc3\xa9 \xff"}});
  counter.add(std::numeric_limits<std::int64_t>::max());
  meter.counter<double>("weight").add(0.5);
  meter.up_down_counter("open").add(-7);
  meter.gauge("level").set(-1);
  meter.gauge<double>("ratio").set(-0.0);
  const auto plain = meter.histogram("plain", {.unit = "ms", .boundaries = {1, 10}});
  for (const double value : {0.5, 1.0, 7.0, 11.0}) plain.record(value, {{"kind", "a"}});
  const auto wide = meter.histogram("wide", {.kind = metrics::HistogramKind::exponential});
  for (const double value : {0.0, -3.0, 1e-9, 2.0, 1e9}) wide.record(value);
  const std::string_view texts[] = {"x", "y"};
  meter.gauge("arrays").set(1, {{"texts", std::span<const std::string_view>(texts)}});
}

void write(const logs::LoggerProvider& provider) {
  const logs::Logger logger = provider.logger("shop", "1.2");
  logger.emit({.severity = logs::Severity::error,
               .severity_text = "err",
               .body = "refused \xff",
               .attributes = {{"venue", "sim"}, {"lot", 100}, {"venue", "again"}}});
  logger.emit({.body = ""});
  provider.logger("other").emit({.severity = logs::Severity::info, .body = "other scope"});
}

int send(const std::string& folder, observability::ReceiverConfig receiver,
         observability::Signal signal, const Keeping& kept, const char* name) {
  std::ofstream(folder + "/" + name, std::ios::binary) << kept.request;
  auto exporter = observability::SignalExporter::create(receiver, signal);
  if (!exporter || kept.request.empty()) return 1;
  const auto result = (*exporter)->send(
      kept.request, kept.items, std::chrono::steady_clock::now() + std::chrono::seconds(10));
  if (result.status == observability::SinkResult::accepted && result.rejected_spans == 0) return 0;
  std::fprintf(stderr, "%s: %s\n", name, result.message.c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  auto tracing = observability::configure_tracing({.service_name = "interop"});
  if (!tracing) return 2;
  auto kept_metrics = std::make_shared<Keeping>();
  auto kept_logs = std::make_shared<Keeping>();
  metrics::MetricsConfig metrics_config{.service_name = "interop"};
  metrics_config.receiver.sink = kept_metrics;
  logs::LogsConfig logs_config{.service_name = "interop"};
  logs_config.receiver.sink = kept_logs;
  auto provider = metrics::MeterProvider::create(metrics_config);
  auto logging = logs::LoggerProvider::create(logs_config);
  if (!provider || !logging) return 2;
  {
    const auto open = observability::span("interop");
    const auto context = open.context();
    std::printf("%s %s\n", context.trace_id.to_hex().c_str(), context.span_id.to_hex().c_str());
    measure(**provider);
    write(**logging);
  }
  if (!(*provider)->force_flush() || !(*logging)->force_flush()) return 1;
  observability::ReceiverConfig receiver{.endpoint = argv[2]};
  if (std::string(argv[3]) != "grpc") receiver.protocol = observability::Protocol::http_protobuf;
  receiver.gzip = std::string(argv[4]) == "gzip";
  return send(argv[1], receiver, observability::Signal::metrics, *kept_metrics, "metrics.bin") +
         send(argv[1], receiver, observability::Signal::logs, *kept_logs, "logs.bin");
}
