#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "alphaswarm/collector/pipeline.hpp"

namespace alphaswarm::collector {

// Collects requests until there are `send_batch_size` spans or the oldest waits for `timeout`.
// Whoever fills the batch passes it on in its own thread: a slow exporter slows the senders down
// instead of piling up data here.
class BatchProcessor final : public Consumer {
 public:
  BatchProcessor(std::string id, BatchConfig config, std::shared_ptr<Consumer> next);

  Result<void> admit(std::uint64_t spans) override { return next_->admit(spans); }
  void consume(Batches batches) override;
  void drain(Deadline deadline) override;
  StageStats stats() const override { return counts_.read(); }

 private:
  void run(const std::stop_token& stop);
  void pass_on(Batches batches);

  const BatchConfig config_;
  StageCounts counts_;
  std::shared_ptr<Consumer> next_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  Batches held_;
  std::uint64_t held_spans_ = 0;
  std::chrono::steady_clock::time_point oldest_{};
  std::jthread timer_;  // last: it uses the rest
};

}  // namespace alphaswarm::collector
