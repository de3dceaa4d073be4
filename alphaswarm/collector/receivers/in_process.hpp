#pragma once

#include <memory>

#include "alphaswarm/collector/intake.hpp"
#include "alphaswarm/observability/export/batch_sink.hpp"

namespace alphaswarm::collector {

// The SDK of this process hands its requests over without a socket.
class InProcessReceiver final : public observability::BatchSink {
 public:
  // Shared: providers may keep the sink, and with it the intake, longer than the collector lives;
  // a closed intake refuses.
  explicit InProcessReceiver(std::shared_ptr<Intake> intake) : intake_(std::move(intake)) {}

  observability::SinkResult send(const observability::Batch& batch,
                                 std::chrono::milliseconds timeout) override;

 private:
  std::shared_ptr<Intake> intake_;
};

}  // namespace alphaswarm::collector
