#pragma once

// In front of an OTLP exporter: what its receiver does not take now is kept in a folder, and sent
// when the receiver is back, by this process or the next one of that service.

#include <chrono>
#include <memory>
#include <string>

#include "alphaswarm/base/random.hpp"
#include "alphaswarm/observability/export/batch_sink.hpp"
#include "alphaswarm/observability/export/spill_folder.hpp"

namespace alphaswarm::observability {

// The folder is the queue of retries: a batch is offered once, and while the receiver is away new
// ones go to the folder at once; only the oldest is offered again, with backoff. A batch whose
// answer was lost, or whose process died between the answer and the removal, is sent twice. For one
// thread.
class SpillSink final : public BatchSink {
 public:
  SpillSink(std::shared_ptr<BatchSink> inner, SpillFolder folder, std::string service,
            std::int64_t timeout_ms);

  [[nodiscard]] SinkResult send(const Batch& batch, std::chrono::milliseconds timeout) override;
  [[nodiscard]] SinkResult keep(const Batch& batch) override;
  void idle() override;
  [[nodiscard]] std::shared_ptr<const SpillAccount> spill() const noexcept override {
    return account_;
  }
  // The receiver has half of the time: the other half is for what it did not take.
  void stop_by(std::chrono::steady_clock::time_point deadline) override;

 private:
  using TimePoint = std::chrono::steady_clock::time_point;

  // A failure may still be made good by another try.
  [[nodiscard]] SinkResult store(const Batch& batch);
  void receiver_answers(bool well, std::chrono::milliseconds retry_after);
  // False: no more now.
  bool send_kept(const std::string& name);

  std::shared_ptr<BatchSink> inner_;
  SpillFolder folder_;
  std::string service_;
  std::chrono::milliseconds timeout_;
  Random random_;
  std::chrono::milliseconds backoff_;
  TimePoint next_try_{};      // before it the receiver counts as away
  TimePoint next_look_{};     // into the folder
  std::uint64_t resent_ = 0;  // since the folder was last empty
  std::shared_ptr<SpillAccount> account_ = std::make_shared<SpillAccount>();
};

}  // namespace alphaswarm::observability
