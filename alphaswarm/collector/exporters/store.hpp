#pragma once

#include "alphaswarm/collector/pipeline.hpp"
#include "alphaswarm/tracestore/memory_store.hpp"

namespace alphaswarm::collector {

// Puts spans where queries find them.
class StoreExporter final : public Consumer {
 public:
  StoreExporter(std::string id, std::shared_ptr<tracestore::MemoryStore> store)
      : counts_(std::move(id)), store_(std::move(store)) {}

  Result<void> admit(std::uint64_t) override { return {}; }
  void consume(Batches batches) override {
    counts_.received(span_count(batches));
    for (const Batch& batch : batches) {
      store_->add(*batch);
      counts_.sent(batch->spans.size());
    }
  }
  void drain(Deadline) override {}
  StageStats stats() const override { return counts_.read(); }

 private:
  StageCounts counts_;
  std::shared_ptr<tracestore::MemoryStore> store_;  // shared with queries
};

}  // namespace alphaswarm::collector
