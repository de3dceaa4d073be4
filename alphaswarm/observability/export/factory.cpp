#include "alphaswarm/observability/export/factory.hpp"

#include "alphaswarm/observability/export/console.hpp"
#include "alphaswarm/observability/export/file.hpp"
#include "alphaswarm/observability/export/otlp_grpc.hpp"
#include "alphaswarm/observability/export/otlp_http.hpp"
#include "alphaswarm/observability/export/queued_sink.hpp"
#include "alphaswarm/observability/export/sink_thread.hpp"
#include "alphaswarm/observability/export/spill_sink.hpp"

namespace alphaswarm::observability {
namespace {

class DiscardingSink final : public BatchSink {
 public:
  SinkResult send(const Batch&, std::chrono::milliseconds) override { return {}; }
};

Result<std::shared_ptr<BatchSink>> make_exporter(const Config& config) {
  const bool grpc = config.protocol == Protocol::grpc;
  auto endpoint = parse_endpoint(config.endpoint, grpc ? 4317 : 4318);
  if (!endpoint) return std::unexpected(endpoint.error());
  TlsFiles tls{config.ca_file, config.client_cert_file, config.client_key_file};
  if (grpc) {
    return std::make_shared<GrpcSink>(
        GrpcSinkConfig{std::move(*endpoint), std::move(tls), config.headers, config.gzip});
  }
  return HttpSink::create({.endpoint = std::move(*endpoint),
                           .tls = std::move(tls),
                           .headers = config.headers,
                           .gzip = config.gzip,
                           .json = config.protocol == Protocol::http_json});
}

// A service's name as that of a folder.
std::string file_name(std::string service) {
  for (char& c : service) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_';
    if (!plain) c = '_';
  }
  return service.empty() ? "_" : service.substr(0, 200);
}

}  // namespace

Result<std::vector<std::shared_ptr<BatchSink>>> make_sinks(const Config& config) {
  std::vector<std::shared_ptr<BatchSink>> sinks;
  const auto add = [&](std::shared_ptr<BatchSink> sink) {
    if (!sinks.empty()) {
      sink = std::make_shared<QueuedSink>(std::move(sink), config.service_name, config.timeout_ms);
    }
    sinks.push_back(std::move(sink));
  };
  if (config.sink != nullptr) add(config.sink);
  if (!config.endpoint.empty()) {
    auto exporter = make_exporter(config);
    if (!exporter) return std::unexpected(exporter.error());
    if (!config.spill_folder.empty() || !sinks.empty()) {
      *exporter = std::make_shared<SinkThread>(std::move(*exporter));
    }
    if (!config.spill_folder.empty()) {
      auto folder = SpillFolder::open(config.spill_folder + "/" + file_name(config.service_name),
                                      config.spill_max_bytes);
      if (!folder) return std::unexpected(folder.error());
      *exporter = std::make_shared<SpillSink>(std::move(*exporter), std::move(*folder),
                                              config.service_name, config.timeout_ms);
    }
    add(std::move(*exporter));
  }
  if (!config.file.empty()) {
    add(std::make_shared<FileSink>(config.file, config.file_max_bytes));
  }
  if (config.console) add(std::make_shared<ConsoleSink>());
  if (sinks.empty()) add(std::make_shared<DiscardingSink>());
  return sinks;
}

}  // namespace alphaswarm::observability
