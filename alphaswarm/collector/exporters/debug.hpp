#pragma once

#include "alphaswarm/collector/pipeline.hpp"

namespace alphaswarm::collector {

// Says on standard error what passes: counts, or each span.
class DebugExporter final : public Consumer {
 public:
  DebugExporter(std::string id, DebugExporterConfig config)
      : config_(config), counts_(std::move(id)) {}

  Result<void> admit(std::uint64_t) override { return {}; }
  void consume(Batches batches) override;
  void drain(Deadline) override {}
  StageStats stats() const override { return counts_.read(); }

 private:
  const DebugExporterConfig config_;
  StageCounts counts_;
};

}  // namespace alphaswarm::collector
