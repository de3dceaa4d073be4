#pragma once

// Takes spans in, passes them through its pipelines, and accounts for every one of them.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "alphaswarm/base/error.hpp"
#include "alphaswarm/collector/config.hpp"

namespace alphaswarm::observability {
class BatchSink;
}
namespace alphaswarm::tracestore {
class MemoryStore;
}

namespace alphaswarm::collector {

// What one tracer provider of this process counts.
struct SdkStats {
  std::string service;
  std::uint64_t started = 0;
  std::uint64_t exported = 0;
  std::uint64_t open = 0;
  std::vector<std::pair<std::string, std::uint64_t>> dropped{};  // by cause
};

// What the program gives a collector that a file cannot.
struct CollectorHost {
  std::shared_ptr<tracestore::MemoryStore> store{};  // for exporter `store`; shared with queries
  // For the own metrics; called from the collector's threads.
  std::function<std::vector<SdkStats>()> sdk_stats{};
};

// Spans, counted where they pass. received = sent + dropped + held holds for each stage at rest,
// and `refused` ones were never accepted: their sender knows and keeps them.
struct StageStats {
  std::string id;  // "receiver otlp/grpc", "processor batch (traces)", "exporter store"
  std::uint64_t received = 0;
  std::uint64_t refused = 0;
  std::uint64_t sent = 0;
  std::uint64_t dropped = 0;
  std::uint64_t held = 0;
};

class Collector {
 public:
  // Binds and serves before it returns. Errors name the component: a busy port is `unavailable`,
  // a pipeline that names what does not exist `invalid_argument`.
  [[nodiscard]] static Result<std::unique_ptr<Collector>> start(CollectorConfig config,
                                                                CollectorHost host = {});
  ~Collector();  // stop()
  Collector(const Collector&) = delete;
  Collector& operator=(const Collector&) = delete;

  // Feeds the receiver `in_process` of the first pipeline that has one. May outlive the collector:
  // then it answers `retry`. Thread-safe.
  [[nodiscard]] std::shared_ptr<observability::BatchSink> in_process_sink();

  // Ports that are served, 0 if that receiver or exporter is not configured.
  [[nodiscard]] std::uint16_t grpc_port() const noexcept;
  [[nodiscard]] std::uint16_t http_port() const noexcept;
  [[nodiscard]] std::uint16_t prometheus_port() const noexcept;
  [[nodiscard]] std::uint16_t telemetry_port() const noexcept;

  // In the order of the pipeline. Thread-safe.
  [[nodiscard]] std::vector<StageStats> stats() const;

  // Refuses new data, lets requests in progress finish, passes on what is held; what an exporter
  // cannot deliver within `limit` is dropped and counted. A second call does nothing.
  void stop(std::chrono::milliseconds limit = std::chrono::milliseconds(1500));

 private:
  class Impl;
  explicit Collector(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace alphaswarm::collector
