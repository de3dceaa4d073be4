#pragma once

// Offering batches to sinks: retries, and the account of what became of them.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include "alphaswarm/base/random.hpp"
#include "alphaswarm/observability/api/config.hpp"
#include "alphaswarm/observability/api/provider.hpp"
#include "alphaswarm/observability/export/batch_sink.hpp"

namespace alphaswarm::observability::inline ALPHASWARM_OTEL_NAMESPACE::detail {

void add(Stats::Spill& sum, const Stats::Spill& more) noexcept;

// Those who hear of exports: of a provider, and of its flight recorder.
class ExportListeners {
 public:
  void add(std::weak_ptr<ExportListener> listener);
  void tell(double seconds, std::string_view error);
  // In the child: who held the lock is not here.
  void reset_after_fork() noexcept { new (&mutex_) std::mutex; }

 private:
  std::mutex mutex_;
  std::vector<std::weak_ptr<ExportListener>> listeners_;
};

// Used by one export thread; stop_by() and add_to() by any.
class Delivery {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // The first sink decides what counts as exported; further ones keep queues of their own.
  // `listeners`: null, or outlives this.
  Delivery(const Config& config, std::vector<std::shared_ptr<BatchSink>> sinks,
           ExportListeners* listeners);

  // Returns when the first sink has taken or refused the batch for good, its retries (exponential
  // backoff with jitter, or what the receiver asks for) are exhausted, or at the deadline.
  void deliver(const Batch& batch, TimePoint deadline);
  bool flush(TimePoint deadline);
  // Between batches: for what the first sink does by itself.
  void idle() { sinks_.front()->idle(); }
  // A shutdown cuts what is under way short.
  void stop_by(TimePoint deadline);
  // Lets go of the sinks, which may have to end first; the export thread must be over.
  void release() { sinks_.clear(); }
  void add_to(Stats& stats) const noexcept;

 private:
  // Retries until `until`; then the sink may keep it.
  [[nodiscard]] SinkResult offer(const Batch& batch, TimePoint until);
  void tell(TimePoint begin, std::string_view error);
  [[nodiscard]] SinkResult timed_send(const Batch& batch, std::chrono::milliseconds timeout);
  [[nodiscard]] TimePoint limit(TimePoint given);
  // False at once when stopped by then.
  void pause(std::chrono::milliseconds time, TimePoint until);
  void report(bool failed, const std::string& message, bool kept = false);

  std::chrono::milliseconds timeout_;
  std::string service_;
  std::vector<std::shared_ptr<BatchSink>> sinks_;
  std::vector<std::shared_ptr<const SpillAccount>> spills_;  // of those; shared: they outlive them
  ExportListeners* listeners_;
  Random random_;

  std::mutex mutex_;
  std::condition_variable stopped_;
  TimePoint stop_deadline_ = TimePoint::max();

  bool failing_ = false;
  bool reported_rejection_ = false;
  std::atomic<std::uint64_t> exported_{0};
  std::atomic<std::uint64_t> spilled_{0};
  std::atomic<std::uint64_t> failed_{0};
  std::atomic<std::uint64_t> rejected_{0};
  std::atomic<std::uint64_t> batches_{0};
  std::atomic<std::uint64_t> retries_{0};
  std::atomic<std::uint64_t> calls_{0};
  std::atomic<std::int64_t> call_ns_{0};
  // The slowest of this minute and of the one before.
  std::atomic<std::int64_t> slowest_ns_{0};
  std::atomic<std::int64_t> slowest_before_ns_{0};
  std::atomic<std::int64_t> minute_ns_{0};  // when that began, by the steady clock
};

}  // namespace alphaswarm::observability::inline ALPHASWARM_OTEL_NAMESPACE::detail
