#include "alphaswarm/collector/collector.hpp"

#include "alphaswarm/base/log.hpp"
#include "alphaswarm/collector/graph.hpp"
#include "alphaswarm/collector/receivers/in_process.hpp"
#include "alphaswarm/collector/receivers/otlp_grpc.hpp"
#include "alphaswarm/collector/receivers/otlp_http.hpp"
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
    return {};
  }

  [[nodiscard]] std::shared_ptr<observability::BatchSink> sink() const { return in_process_; }
  [[nodiscard]] std::uint16_t grpc_port() const { return grpc_.empty() ? 0 : grpc_[0]->port(); }
  [[nodiscard]] std::uint16_t http_port() const { return http_.empty() ? 0 : http_[0]->port(); }

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

  net::Runtime runtime_{"collector", 2};
  Graph graph_;
  std::shared_ptr<InProcessReceiver> in_process_;  // shared with the providers that send to it
  std::vector<std::unique_ptr<OtlpGrpcReceiver>> grpc_;
  std::vector<std::unique_ptr<OtlpHttpReceiver>> http_;
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
std::uint16_t Collector::prometheus_port() const noexcept { return 0; }
std::uint16_t Collector::telemetry_port() const noexcept { return 0; }
std::vector<StageStats> Collector::stats() const { return impl_->stats(); }
void Collector::stop(std::chrono::milliseconds limit) { impl_->stop(limit); }

}  // namespace alphaswarm::collector
