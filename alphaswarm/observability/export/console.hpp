#pragma once

#include "alphaswarm/observability/export/batch_sink.hpp"

namespace alphaswarm::observability {

// Prints each span as a line on standard error: service, name, kind, duration, status, ids and
// attributes. For trying things out.
class ConsoleSink final : public BatchSink {
 public:
  [[nodiscard]] SinkResult send(const Batch& batch, std::chrono::milliseconds timeout) override;
};

}  // namespace alphaswarm::observability
