#pragma once

#include <functional>
#include <mutex>

#include "alphaswarm/collector/pipeline.hpp"

namespace alphaswarm::collector {

// Bytes of the heap that are in use in this process (not what the allocator keeps back).
[[nodiscard]] std::size_t heap_in_use();

// Refuses new data while the heap is above limit − spike, so that senders keep it and try again.
class MemoryLimiter final : public Consumer {
 public:
  MemoryLimiter(std::string id, MemoryLimiterConfig config, std::shared_ptr<Consumer> next,
                std::function<std::size_t()> memory_in_use = heap_in_use);

  Result<void> admit(std::uint64_t spans) override;
  void consume(Batches batches) override;
  void drain(Deadline) override {}
  StageStats stats() const override { return counts_.read(); }

 private:
  const MemoryLimiterConfig config_;
  StageCounts counts_;
  std::shared_ptr<Consumer> next_;
  std::function<std::size_t()> memory_in_use_;
  std::mutex mutex_;
  std::int64_t checked_at_ns_ = 0;
  bool refusing_ = false;
};

}  // namespace alphaswarm::collector
