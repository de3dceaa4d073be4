#pragma once

// What a provider is behind its handle. Never freed, because open spans and contexts point to it.

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "alphaswarm/observability/api/provider.hpp"
#include "alphaswarm/observability/api/sampler.hpp"
#include "alphaswarm/observability/sdk/delivery.hpp"
#include "alphaswarm/observability/sdk/sampler.hpp"
#include "alphaswarm/observability/sdk/thread_state.hpp"

namespace alphaswarm::observability::inline ALPHASWARM_OTEL_NAMESPACE::detail {

class ExportWorker;
class FlightRecorder;

class ProviderCore {
 public:
  // `recorder`: that of the spans that are not sampled; lives as long as this.
  explicit ProviderCore(Config given, ProviderCore* recorder = nullptr, bool is_recorder = false);
  ~ProviderCore() = delete;
  ProviderCore(const ProviderCore&) = delete;
  ProviderCore& operator=(const ProviderCore&) = delete;

  // Read by every span; written before the first one but for `accepting` and `closed`.
  const std::uint32_t index;
  const Config config;
  const RatioSampler sampler;
  // Null, and the above with the parent's decision, for all but unusual configurations.
  const std::shared_ptr<const Sampler> other_sampler;
  ProviderCore* const recorder;  // null: spans that are not sampled are not kept
  const bool is_recorder;
  const bool parent_decides;          // a child of a span that is not sampled is not sampled either
  std::atomic<bool> accepting{true};  // false: starting a span does nothing
  std::atomic<bool> closing{false};   // true: waiting for room is over
  std::atomic<bool> closed{false};    // true: nobody reads buffers any more

  // For threads that have no buffer.
  struct {
    std::atomic<std::uint64_t> started{0};
    std::atomic<std::uint64_t> ended{0};
    std::atomic<std::uint64_t> no_slot{0};
    std::atomic<std::uint64_t> no_chunk{0};
    std::atomic<std::uint64_t> not_sampled{0};
    std::atomic<std::uint64_t> provider_gone{0};
  } shared;

  // Hands a new buffer to the reader. Lock-free, but for the first one after a fork, which starts
  // the export thread of the child.
  void add_buffer(ThreadBuffer& buffer) noexcept;
  [[nodiscard]] ThreadBuffer* take_new_buffers() noexcept {
    return new_buffers_.exchange(nullptr, std::memory_order_acquire);  // with add_buffer()
  }

  // Those not taken yet; stays valid while nobody takes them.
  [[nodiscard]] ThreadBuffer* new_buffers() const noexcept {
    return new_buffers_.load(std::memory_order_acquire);  // with add_buffer()
  }

  // Starts the export thread unless it runs.
  Result<void> start_worker();
  [[nodiscard]] ExportWorker* worker() noexcept {
    return worker_.load(std::memory_order_acquire);  // with start_worker()
  }
  void forget_worker_after_fork() noexcept;

  // Of this core's exports: a provider with a recorder has two.
  [[nodiscard]] ExportListeners& listeners() noexcept { return listeners_; }
  // The sink of a recorder; null before its export thread runs.
  [[nodiscard]] std::shared_ptr<FlightRecorder> flight_recorder();
  bool force_flush(std::int64_t timeout_ms);
  bool shutdown(std::int64_t timeout_ms);
  [[nodiscard]] Stats stats();
  void add_shared(Stats& stats) const noexcept;
  void add_recorder_spill(Stats& stats);
  // Adds what changed to the process's counters.
  void publish(const Stats& now, const Stats& before);

  // All cores ever made, newest first.
  [[nodiscard]] static ProviderCore* first() noexcept;
  [[nodiscard]] ProviderCore* next() const noexcept { return next_; }

 private:
  std::atomic<ThreadBuffer*> new_buffers_{nullptr};
  std::atomic<ExportWorker*> worker_{nullptr};
  std::atomic<bool> starting_{false};
  std::mutex flight_recorder_mutex_;  // guards the next one; not for the hot path
  std::shared_ptr<FlightRecorder> flight_recorder_;
  ExportListeners listeners_;
  std::atomic<bool> shut_down_{false};
  ProviderCore* next_ = nullptr;
};

// True on export threads: spans opened there are not recorded.
[[nodiscard]] bool is_export_thread() noexcept;

// The fallback where no context carries one; null: none.
extern std::atomic<ProviderCore*> default_provider;

// Counted where the API is used against its contract: see also `alphaswarm_tracing_misuse_total`.
enum class Misuse : std::uint8_t { ended_twice, ended_elsewhere, inherited_span };
void count_misuse(Misuse kind) noexcept;

}  // namespace alphaswarm::observability::inline ALPHASWARM_OTEL_NAMESPACE::detail
