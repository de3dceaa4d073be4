#include "alphaswarm/observability/export/factory.hpp"

namespace alphaswarm::observability {
namespace {

class DiscardingSink final : public BatchSink {
 public:
  SinkResult send(const Batch&, std::chrono::milliseconds) override { return {}; }
};

}  // namespace

Result<std::vector<std::shared_ptr<BatchSink>>> make_sinks(const Config& config) {
  std::vector<std::shared_ptr<BatchSink>> sinks;
  if (config.sink != nullptr) sinks.push_back(config.sink);
  if (sinks.empty()) sinks.push_back(std::make_shared<DiscardingSink>());
  return sinks;
}

}  // namespace alphaswarm::observability
