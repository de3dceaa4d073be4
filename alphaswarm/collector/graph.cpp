#include "alphaswarm/collector/graph.hpp"

#include <ranges>

#include "alphaswarm/collector/connectors/span_metrics.hpp"
#include "alphaswarm/collector/exporters/debug.hpp"
#include "alphaswarm/collector/exporters/otlp.hpp"
#include "alphaswarm/collector/exporters/store.hpp"
#include "alphaswarm/collector/processors/batch.hpp"
#include "alphaswarm/collector/processors/memory_limiter.hpp"

namespace alphaswarm::collector {
namespace {

bool is_metrics(const PipelineConfig& pipeline) {
  return pipeline.id == "metrics" || pipeline.id.starts_with("metrics/");
}

class Builder {
 public:
  Builder(const CollectorConfig& config, const CollectorHost& host)
      : config_(config), host_(host) {}

  Result<Graph> build() {
    make_intakes();
    for (const PipelineConfig& pipeline : config_.pipelines) {
      if (pipeline.receivers.empty() || pipeline.exporters.empty()) {
        return wrong(pipeline, "has no " + std::string(pipeline.receivers.empty() ? "receivers"
                                                                                  : "exporters"));
      }
      auto added = is_metrics(pipeline) ? add_metrics(pipeline) : add_traces(pipeline);
      if (!added) return std::unexpected(added.error());
    }
    return std::move(graph_);
  }

 private:
  static std::unexpected<Error> wrong(const PipelineConfig& pipeline, const std::string& what) {
    return fail(ErrorCode::invalid_argument, "pipeline " + pipeline.id + " " + what);
  }

  void make_intakes() {
    const auto add = [this](const std::string& id) {
      graph_.intakes[id] = std::make_shared<Intake>("receiver " + id);
    };
    for (const auto& [id, receiver] : config_.receivers) {
      if (const auto* otlp = std::get_if<OtlpReceiverConfig>(&receiver)) {
        if (otlp->grpc) add(intake_id(id, "grpc"));
        if (otlp->http) add(intake_id(id, "http"));
      } else {
        add(id);
      }
    }
  }

  Result<void> add_traces(const PipelineConfig& pipeline) {
    std::vector<std::shared_ptr<Consumer>> ends;
    for (const ComponentId& id : pipeline.exporters) {
      auto end = exporter(pipeline, id);
      if (!end) return std::unexpected(end.error());
      ends.push_back(std::move(*end));
    }
    std::shared_ptr<Consumer> head =
        ends.size() == 1 ? ends.front() : std::make_shared<FanOut>(std::move(ends));
    const std::size_t first = graph_.processors.size();
    for (const ComponentId& id : pipeline.processors | std::views::reverse) {
      auto stage = processor(pipeline, id, head);
      if (!stage) return std::unexpected(stage.error());
      head = std::move(*stage);
      graph_.processors.insert(graph_.processors.begin() + static_cast<std::ptrdiff_t>(first),
                               head);
    }
    for (const ComponentId& id : pipeline.receivers) {
      if (config_.connectors.contains(id)) {
        return wrong(pipeline, "receives from connector " + id + ", which makes metrics");
      }
      if (!config_.receivers.contains(id)) {
        return wrong(pipeline, "names receiver " + id + ", which is not configured");
      }
      for (const auto& name : {id, intake_id(id, "grpc"), intake_id(id, "http")}) {
        const auto intake = graph_.intakes.find(name);
        if (intake != graph_.intakes.end()) intake->second->connect(head);
      }
    }
    return {};
  }

  Result<std::shared_ptr<Consumer>> processor(const PipelineConfig& pipeline, const ComponentId& id,
                                              std::shared_ptr<Consumer> next) {
    const auto known = config_.processors.find(id);
    if (known == config_.processors.end()) {
      return wrong(pipeline, "names processor " + id + ", which is not configured");
    }
    const std::string name = "processor " + id + " (" + pipeline.id + ")";
    if (const auto* limiter = std::get_if<MemoryLimiterConfig>(&known->second)) {
      return std::make_shared<MemoryLimiter>(name, *limiter, std::move(next));
    }
    return std::make_shared<BatchProcessor>(name, std::get<BatchConfig>(known->second),
                                            std::move(next));
  }

  Result<std::shared_ptr<Consumer>> exporter(const PipelineConfig& pipeline,
                                             const ComponentId& id) {
    if (const auto made = made_.find(id); made != made_.end()) return made->second;
    std::shared_ptr<Consumer> stage;
    if (config_.connectors.contains(id)) {
      stage = connector(id);
    } else if (const auto known = config_.exporters.find(id); known != config_.exporters.end()) {
      auto made = std::visit([&](const auto& c) { return make(pipeline, id, c); }, known->second);
      if (!made) return made;
      stage = std::move(*made);
    } else {
      return wrong(pipeline, "names exporter " + id + ", which is not configured");
    }
    made_.emplace(id, stage);
    graph_.exporters.push_back(stage);
    return stage;
  }

  using Made = Result<std::shared_ptr<Consumer>>;
  Made make(const PipelineConfig& pipeline, const ComponentId& id,
            const StoreExporterConfig& store) {
    if (!host_.store)
      return wrong(pipeline, "names exporter " + id + ", but there is no trace store");
    auto log = StoreExporter::open_log(store, *host_.store);
    if (!log) return std::unexpected(log.error());
    return std::make_shared<StoreExporter>("exporter " + id, host_.store, std::move(*log));
  }
  Made make(const PipelineConfig&, const ComponentId& id, const DebugExporterConfig& debug) {
    return std::make_shared<DebugExporter>("exporter " + id, debug);
  }
  Made make(const PipelineConfig&, const ComponentId& id, const OtlpExporterConfig& otlp) {
    return make_otlp_exporter("exporter " + id, otlp);
  }
  Made make(const PipelineConfig& pipeline, const ComponentId& id,
            const PrometheusExporterConfig&) {
    return wrong(pipeline, "names exporter " + id + ", which takes metrics, not traces");
  }

  std::shared_ptr<SpanMetrics> connector(const ComponentId& id) {
    auto& known = connectors_[id];
    if (!known) {
      known = std::make_shared<SpanMetrics>("connector " + id,
                                            std::get<SpanMetricsConfig>(config_.connectors.at(id)));
    }
    return known;
  }

  // Metrics are not pushed through: an exporter reads its connectors when it is asked. Processors
  // that make sense for pushed data (batch, memory_limiter) have nothing to do there.
  Result<void> add_metrics(const PipelineConfig& pipeline) {
    for (const ComponentId& id : pipeline.processors) {
      if (!config_.processors.contains(id)) {
        return wrong(pipeline, "names processor " + id + ", which is not configured");
      }
    }
    for (const ComponentId& exporter_id : pipeline.exporters) {
      const auto exporter = config_.exporters.find(exporter_id);
      if (exporter == config_.exporters.end()) {
        return wrong(pipeline, "names exporter " + exporter_id + ", which is not configured");
      }
      if (!std::holds_alternative<PrometheusExporterConfig>(exporter->second)) {
        return wrong(pipeline, "names exporter " + exporter_id + ", which takes no metrics");
      }
      for (const ComponentId& id : pipeline.receivers) {
        if (!config_.connectors.contains(id)) {
          return wrong(pipeline, "names receiver " + id + ", which makes no metrics");
        }
        graph_.metric_sources[exporter_id].push_back(connector(id));
      }
    }
    return {};
  }

  const CollectorConfig& config_;
  const CollectorHost& host_;
  Graph graph_;
  std::map<ComponentId, std::shared_ptr<Consumer>> made_;
  std::map<ComponentId, std::shared_ptr<SpanMetrics>> connectors_;
};

}  // namespace

std::string intake_id(std::string_view receiver, std::string_view transport) {
  return std::string(receiver) + " (" + std::string(transport) + ")";
}

Result<Graph> build_graph(const CollectorConfig& config, const CollectorHost& host) {
  return Builder(config, host).build();
}

}  // namespace alphaswarm::collector
