#pragma once

#include <string>
#include <string_view>

#include "alphaswarm/observability/export/batch_sink.hpp"

namespace alphaswarm::observability {

// Prints the spans on standard error, each a line of service, name, kind, duration, status, ids,
// scope and attributes, and those of a batch as trees: children below their parents. For trying
// things out.
class ConsoleSink final : public BatchSink {
 public:
  [[nodiscard]] SinkResult send(const Batch& batch, std::chrono::milliseconds timeout) override;
  [[nodiscard]] static std::string to_tree(std::string_view request);
};

}  // namespace alphaswarm::observability
