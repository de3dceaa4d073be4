#pragma once

// What receivers, processors and exporters agree on.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "alphaswarm/base/error.hpp"
#include "alphaswarm/collector/collector.hpp"
#include "alphaswarm/otlp/views.hpp"

namespace alphaswarm::collector {

// Shared because a batch goes to several exporters at once, and none may change it.
using Batch = std::shared_ptr<const otlp::TraceBatch>;
// What travels together: a batch processor collects requests without copying them.
using Batches = std::vector<Batch>;

[[nodiscard]] inline std::uint64_t span_count(const Batches& batches) noexcept {
  std::uint64_t count = 0;
  for (const Batch& batch : batches) count += batch->spans.size();
  return count;
}

using Deadline = std::chrono::steady_clock::time_point;

// A stage of a pipeline. Thread-safe: receivers call from their own threads.
class Consumer {
 public:
  virtual ~Consumer() = default;

  // Whether `spans` more are welcome now. An error is the sender's to handle: nothing was taken.
  // A stage that passes data on asks the next one, too.
  [[nodiscard]] virtual Result<void> admit(std::uint64_t spans) = 0;
  // Takes the batches in any case; what it cannot pass on it drops and counts.
  virtual void consume(Batches batches) = 0;
  // Passes on all it holds, as far as it can until then. Afterwards nothing comes any more.
  virtual void drain(Deadline deadline) = 0;
  [[nodiscard]] virtual StageStats stats() const = 0;
};

// The counts of one stage, in spans.
class StageCounts {
 public:
  explicit StageCounts(std::string id) : id_(std::move(id)) {}

  void received(std::uint64_t n) noexcept { add(received_, n); }
  void refused(std::uint64_t n) noexcept { add(refused_, n); }
  void sent(std::uint64_t n) noexcept { add(sent_, n); }
  void dropped(std::uint64_t n) noexcept { add(dropped_, n); }

  [[nodiscard]] const std::string& id() const noexcept { return id_; }
  // While spans pass, `held` may show some that are already on their way out.
  [[nodiscard]] StageStats read() const {
    StageStats stats{.id = id_};
    stats.sent = sent_.load(std::memory_order_acquire);  // with add(): never ahead of received
    stats.dropped = dropped_.load(std::memory_order_acquire);
    stats.received = received_.load(std::memory_order_acquire);
    stats.refused = refused_.load(std::memory_order_relaxed);
    stats.held = stats.received - stats.sent - stats.dropped;
    return stats;
  }

 private:
  using Count = std::atomic<std::uint64_t>;
  static void add(Count& count, std::uint64_t n) noexcept {
    count.fetch_add(n, std::memory_order_release);  // pairs with the acquire loads in read()
  }
  std::string id_;
  Count received_{0};
  Count refused_{0};
  Count sent_{0};
  Count dropped_{0};
};

// Gives each of several consumers the same batches.
class FanOut final : public Consumer {
 public:
  explicit FanOut(std::vector<std::shared_ptr<Consumer>> next) : next_(std::move(next)) {}

  Result<void> admit(std::uint64_t spans) override {
    for (const auto& consumer : next_) {
      if (auto welcome = consumer->admit(spans); !welcome) return welcome;
    }
    return {};
  }
  void consume(Batches batches) override {
    for (std::size_t i = 0; i + 1 < next_.size(); ++i) next_[i]->consume(batches);
    if (!next_.empty()) next_.back()->consume(std::move(batches));
  }
  void drain(Deadline) override {}  // the collector drains each stage by itself
  StageStats stats() const override { return {}; }

 private:
  std::vector<std::shared_ptr<Consumer>> next_;  // shared: exporters serve several pipelines
};

}  // namespace alphaswarm::collector
