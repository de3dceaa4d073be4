#pragma once

// Calls a sink on a thread of its own, so that a call which hangs at a shutdown can be left behind.

#include <memory>
#include <thread>

#include "alphaswarm/observability/export/batch_sink.hpp"

namespace alphaswarm::observability {

// For exporters with something behind them that is worth the copy of each request: a spill folder,
// or a queue that must end in time. A call that is left behind may still reach its receiver.
class SinkThread final : public BatchSink {
 public:
  explicit SinkThread(std::shared_ptr<BatchSink> inner);
  ~SinkThread() override;
  SinkThread(const SinkThread&) = delete;
  SinkThread& operator=(const SinkThread&) = delete;

  [[nodiscard]] SinkResult send(const Batch& batch, std::chrono::milliseconds timeout) override;
  void stop_by(std::chrono::steady_clock::time_point deadline) override;

 private:
  struct Call;
  static void run(Call& call);
  std::shared_ptr<Call> call_;  // shared with the thread, which may be left behind
  std::jthread thread_;
};

}  // namespace alphaswarm::observability
