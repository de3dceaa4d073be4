#pragma once

// Keeps spans that were not sampled, and exports a trace's after the fact when one of them fails,
// is slow or asks for it.
//
// A provider with a recorder has a second core for such spans: they are recorded as sampled ones
// are, into buffers of their own, whose export thread ends here instead of at a receiver.

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "alphaswarm/observability/api/config.hpp"
#include "alphaswarm/observability/api/provider.hpp"
#include "alphaswarm/observability/export/batch_sink.hpp"
#include "alphaswarm/observability/sdk/delivery.hpp"
#include "alphaswarm/otlp/views.hpp"

namespace alphaswarm::observability::inline ALPHASWARM_OTEL_NAMESPACE::detail {

// The attribute that asks for a trace: see trigger().
inline constexpr std::string_view kTriggerKey = "alphaswarm.trigger.reason";

class FlightRecorder final : public BatchSink {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // `sinks`: where triggered traces go.
  FlightRecorder(const Config& config, std::vector<std::shared_ptr<BatchSink>> sinks,
                 ExportListeners& listeners);

  [[nodiscard]] SinkResult send(const Batch& batch, std::chrono::milliseconds timeout) override;
  [[nodiscard]] bool flush(std::chrono::milliseconds timeout) override;
  void idle() override { delivery_.idle(); }
  void stop_by(TimePoint deadline) override { delivery_.stop_by(deadline); }
  // From another process, say; any thread. Exported with the next batch or flush.
  void trigger(const TraceId& trace);
  void add_to(Stats::Recorder& stats);
  // Its part in the spill folder, which it shares with its provider.
  void add_to(Stats::Spill& spill);
  // Lets go of the sinks; the export thread must be over.
  void release() { delivery_.release(); }

 private:
  struct Kept {
    std::string request;
    std::uint32_t spans = 0;
    TimePoint since;
  };

  void retain(std::string request, std::uint32_t spans);
  void note(const TraceId& trace, std::string_view reason);
  void find_triggers(const otlp::TraceBatch& batch);
  void export_asked(std::chrono::milliseconds timeout);
  // Sends the spans of a kept request that `wanted` says yes to.
  template <class Wanted>
  void export_from(const otlp::TraceBatch& batch, std::chrono::milliseconds timeout, Wanted wanted);
  void forget_old_triggers();

  std::uint64_t max_bytes_;
  std::uint64_t latency_ns_;
  std::shared_ptr<TriggerListener> listener_;
  Delivery delivery_;

  std::mutex mutex_;  // guards the next one
  std::vector<TraceId> from_others_;

  // The export thread's.
  std::deque<Kept> kept_;
  std::uint64_t bytes_ = 0;
  std::unordered_map<TraceId, TimePoint> triggered_;
  std::deque<TraceId> triggered_order_;
  std::vector<TraceId> asked_;  // triggered, and not yet looked for in what is kept

  std::atomic<std::uint64_t> kept_spans_{0};
  std::atomic<std::uint64_t> overwritten_{0};
  std::atomic<std::uint64_t> triggers_{0};
  std::atomic<std::int64_t> oldest_ns_{0};  // of steady_clock; 0: nothing is kept
};

}  // namespace alphaswarm::observability::inline ALPHASWARM_OTEL_NAMESPACE::detail
