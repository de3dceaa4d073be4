#pragma once

// A queue and a thread in front of a sink, for all but a provider's first: a receiver that is
// away must not hold up the others.

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "alphaswarm/base/counters.hpp"
#include "alphaswarm/observability/export/batch_sink.hpp"

namespace alphaswarm::observability {

// Bounded by bytes; when full, new batches are dropped and counted
// (`alphaswarm_spans_forward_dropped_total`).
class QueuedSink final : public BatchSink {
 public:
  static constexpr std::size_t kMaxBytes = 8U << 20U;

  QueuedSink(std::shared_ptr<BatchSink> inner, std::string service, std::int64_t timeout_ms);
  ~QueuedSink() override;  // as stop_by(), within the timeout
  QueuedSink(const QueuedSink&) = delete;
  QueuedSink& operator=(const QueuedSink&) = delete;

  [[nodiscard]] SinkResult send(const Batch& batch, std::chrono::milliseconds timeout) override;
  [[nodiscard]] bool flush(std::chrono::milliseconds timeout) override;
  [[nodiscard]] std::shared_ptr<const SpillAccount> spill() const noexcept override {
    return inner_->spill();
  }
  // What is queued has one more try.
  void stop_by(std::chrono::steady_clock::time_point deadline) override;

 private:
  struct Queued {
    std::string request;
    std::uint32_t span_count;
  };
  using TimePoint = std::chrono::steady_clock::time_point;

  void run();
  SinkResult::Status deliver(const Queued& batch);

  std::shared_ptr<BatchSink> inner_;
  std::chrono::milliseconds timeout_;
  Counter& forwarded_;
  Counter& dropped_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Queued> queue_;
  std::size_t bytes_ = 0;
  bool sending_ = false;
  bool over_ = false;  // nothing more comes
  TimePoint stop_deadline_ = TimePoint::max();
  std::jthread thread_;
};

}  // namespace alphaswarm::observability
