#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>

#include "alphaswarm/collector/pipeline.hpp"
#include "alphaswarm/observability/export/batch_sink.hpp"

namespace alphaswarm::collector {

// Sends on to another collector, from one thread and a bounded queue, with retries.
class OtlpExporter final : public Consumer {
 public:
  OtlpExporter(std::string id, OtlpExporterConfig config,
               std::shared_ptr<observability::BatchSink> sink);

  // Refuses (retryable) when the queue is full.
  Result<void> admit(std::uint64_t spans) override;
  void consume(Batches batches) override;
  void drain(Deadline deadline) override;
  StageStats stats() const override { return counts_.read(); }

 private:
  void run(const std::stop_token& stop);
  void deliver(const Batches& batches);
  void deliver(std::string_view request, std::uint64_t spans);
  void pause(std::chrono::milliseconds delay);
  [[nodiscard]] std::chrono::milliseconds call_timeout() const;
  [[nodiscard]] bool out_of_time() const;

  const OtlpExporterConfig config_;
  StageCounts counts_;
  std::shared_ptr<observability::BatchSink> sink_;  // the SDK's, which makes it shared
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<Batches> queue_;
  bool draining_ = false;
  Deadline deadline_ = Deadline::max();
  std::jthread worker_;  // last: it uses the rest
};

// invalid_argument for a bad endpoint; not for one that is away.
[[nodiscard]] Result<std::shared_ptr<Consumer>> make_otlp_exporter(std::string id,
                                                                   OtlpExporterConfig config);

}  // namespace alphaswarm::collector
