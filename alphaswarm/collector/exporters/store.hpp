#pragma once

#include <memory>

#include "alphaswarm/collector/pipeline.hpp"
#include "alphaswarm/tracestore/batch_log.hpp"
#include "alphaswarm/tracestore/memory_store.hpp"

namespace alphaswarm::collector {

// Puts spans where queries find them, and into the log they are read back from after a restart.
class StoreExporter final : public Consumer {
 public:
  // The log's traces are in the store when this returns. Null without a directory.
  [[nodiscard]] static Result<std::unique_ptr<tracestore::BatchLog>> open_log(
      const StoreExporterConfig& config, tracestore::MemoryStore& store);

  StoreExporter(std::string id, std::shared_ptr<tracestore::MemoryStore> store,
                std::unique_ptr<tracestore::BatchLog> log)
      : counts_(std::move(id)), store_(std::move(store)), log_(std::move(log)) {}

  Result<void> admit(std::uint64_t) override { return {}; }
  void consume(Batches batches) override;
  void drain(Deadline) override {}
  StageStats stats() const override { return counts_.read(); }

 private:
  StageCounts counts_;
  std::shared_ptr<tracestore::MemoryStore> store_;  // shared with queries
  std::unique_ptr<tracestore::BatchLog> log_;
};

}  // namespace alphaswarm::collector
