#include "alphaswarm/collector/collector.hpp"

#include "alphaswarm/collector/exporters/prometheus.hpp"
#include "alphaswarm/collector/graph.hpp"
#include "alphaswarm/collector/receivers/in_process.hpp"
#include "alphaswarm/collector/receivers/otlp_grpc.hpp"
#include "alphaswarm/collector/receivers/otlp_http.hpp"
#include "alphaswarm/collector/telemetry.hpp"
#include "alphaswarm/net/runtime.hpp"

namespace alphaswarm::collector {

class Collector::Impl {
 public:
  Result<void> start(const CollectorConfig& config, const CollectorHost& host) {
    auto graph = build_graph(config, host);
    if (!graph) return std::unexpected(graph.error());
    graph_ = std::move(*graph);
    for (const auto& [id, receiver] : config.receivers) {
      auto started = start_receiver(id, receiver);
      if (!started) {
        started.error().message.insert(0, "receiver " + id + ": ");
        return started;
      }
    }
    for (const auto& [id, exporter] : config.exporters) {
      const auto* prometheus = std::get_if<PrometheusExporterConfig>(&exporter);
      if (prometheus == nullptr) continue;
      if (auto started = serve_prometheus(id, *prometheus); !started) return started;
    }
    return config.telemetry ? serve_telemetry(*config.telemetry, host) : Result<void>();
  }

  [[nodiscard]] std::shared_ptr<observability::BatchSink> sink() const { return in_process_; }
  [[nodiscard]] std::uint16_t grpc_port() const { return grpc_.empty() ? 0 : grpc_[0]->port(); }
  [[nodiscard]] std::uint16_t http_port() const { return http_.empty() ? 0 : http_[0]->port(); }

  [[nodiscard]] std::uint16_t prometheus_port() const {
    return prometheus_.empty() ? 0 : prometheus_[0]->port();
  }
  [[nodiscard]] std::uint16_t telemetry_port() const { return telemetry_ ? telemetry_->port() : 0; }

  [[nodiscard]] std::vector<StageStats> stats() const {
    std::vector<StageStats> all;
    for (const auto& [id, intake] : graph_.intakes) all.push_back(intake->stats());
    for (const auto& stage : graph_.processors) all.push_back(stage->stats());
    for (const auto& stage : graph_.exporters) all.push_back(stage->stats());
    return all;
  }

  void stop(std::chrono::milliseconds limit) {
    if (stopped_) return;
    stopped_ = true;
    const Deadline deadline = std::chrono::steady_clock::now() + limit;
    for (const auto& receiver : http_) receiver->stop();
    for (const auto& receiver : grpc_) receiver->stop(deadline);
    for (const auto& [id, intake] : graph_.intakes) intake->close();
    for (const auto& stage : graph_.processors) stage->drain(deadline);
    for (const auto& stage : graph_.exporters) stage->drain(deadline);
    for (const auto& server : prometheus_) server->stop();
    if (telemetry_) telemetry_->stop();
    runtime_.stop();
  }

 private:
  Result<void> start_receiver(const ComponentId& id, const ReceiverConfig& receiver) {
    const auto* otlp = std::get_if<OtlpReceiverConfig>(&receiver);
    if (otlp == nullptr) {
      if (!in_process_) in_process_ = std::make_shared<InProcessReceiver>(graph_.intakes.at(id));
      return {};
    }
    if (otlp->grpc) {
      auto started =
          OtlpGrpcReceiver::start(*otlp->grpc, *graph_.intakes.at(intake_id(id, "grpc")));
      if (!started) return std::unexpected(started.error());
      grpc_.push_back(std::move(*started));
    }
    if (otlp->http) {
      Intake& intake = *graph_.intakes.at(intake_id(id, "http"));
      auto started = OtlpHttpReceiver::start(runtime_, *otlp->http, intake);
      if (!started) return std::unexpected(started.error());
      http_.push_back(std::move(*started));
    }
    return {};
  }

  Result<void> serve_prometheus(const ComponentId& id, const PrometheusExporterConfig& config) {
    auto write = [sources = graph_.metric_sources[id], config](MetricsText& text) {
      for (const auto& source : sources) write_span_metrics(text, *source, config);
    };
    auto server =
        serve_metrics(runtime_, config.endpoint, config.enable_open_metrics, std::move(write));
    if (!server) {
      server.error().message.insert(0, "exporter " + id + ": ");
      return std::unexpected(server.error());
    }
    prometheus_.push_back(std::move(*server));
    return {};
  }

  Result<void> serve_telemetry(const Endpoint& endpoint, const CollectorHost& host) {
    auto write = [this, host](MetricsText& text) { write_own_metrics(text, stats(), host); };
    auto server = serve_metrics(runtime_, endpoint, true, std::move(write));
    if (!server) {
      server.error().message.insert(0, "own metrics: ");
      return std::unexpected(server.error());
    }
    telemetry_ = std::move(*server);
    return {};
  }

  net::Runtime runtime_{"collector", 2};
  Graph graph_;
  std::shared_ptr<InProcessReceiver> in_process_;  // shared with the providers that send to it
  std::vector<std::unique_ptr<OtlpGrpcReceiver>> grpc_;
  std::vector<std::unique_ptr<OtlpHttpReceiver>> http_;
  std::vector<std::unique_ptr<net::HttpServer>> prometheus_;
  std::unique_ptr<net::HttpServer> telemetry_;
  bool stopped_ = false;
};

Result<std::unique_ptr<Collector>> Collector::start(CollectorConfig config, CollectorHost host) {
  auto impl = std::make_unique<Impl>();
  auto started = impl->start(config, host);
  if (!started) {
    impl->stop(std::chrono::milliseconds(0));
    return std::unexpected(started.error());
  }
  return std::unique_ptr<Collector>(new Collector(std::move(impl)));
}

Collector::Collector(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Collector::~Collector() { stop(); }

std::shared_ptr<observability::BatchSink> Collector::in_process_sink() { return impl_->sink(); }
std::uint16_t Collector::grpc_port() const noexcept { return impl_->grpc_port(); }
std::uint16_t Collector::http_port() const noexcept { return impl_->http_port(); }
std::uint16_t Collector::prometheus_port() const noexcept { return impl_->prometheus_port(); }
std::uint16_t Collector::telemetry_port() const noexcept { return impl_->telemetry_port(); }
std::vector<StageStats> Collector::stats() const { return impl_->stats(); }
void Collector::stop(std::chrono::milliseconds limit) { impl_->stop(limit); }

}  // namespace alphaswarm::collector
