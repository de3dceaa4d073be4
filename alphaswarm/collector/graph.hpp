#pragma once

// Makes the stages of a configuration and connects them.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "alphaswarm/collector/intake.hpp"
#include "alphaswarm/collector/pipeline.hpp"

namespace alphaswarm::collector {

class SpanMetrics;

struct Graph {
  // By receiver id; an OTLP receiver has one for each transport: "otlp (grpc)", "otlp (http)".
  std::map<std::string, std::shared_ptr<Intake>> intakes;
  std::vector<std::shared_ptr<Consumer>> processors;  // first to last of each pipeline
  std::vector<std::shared_ptr<Consumer>> exporters;   // and connectors
  // For each Prometheus exporter, the connectors whose metrics it shows.
  std::map<ComponentId, std::vector<std::shared_ptr<SpanMetrics>>> metric_sources;
};

// Errors name the pipeline and the component: one that is not configured, of the wrong kind, or a
// store without a host that has one.
[[nodiscard]] Result<Graph> build_graph(const CollectorConfig& config, const CollectorHost& host);

[[nodiscard]] std::string intake_id(std::string_view receiver, std::string_view transport);

}  // namespace alphaswarm::collector
