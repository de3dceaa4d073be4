#include "alphaswarm/collector/receivers/in_process.hpp"

#include "alphaswarm/collector/receivers/rpc_status.hpp"

namespace alphaswarm::collector {

observability::SinkResult InProcessReceiver::send(const observability::Batch& batch,
                                                  std::chrono::milliseconds /*timeout*/) {
  using observability::SinkResult;
  auto taken = intake_->take(SharedBytes(batch.request.joined()));
  SinkResult result;
  if (taken) {
    result.rejected_spans = static_cast<std::uint32_t>(taken->rejected);
    result.message = std::move(taken->message);
    return result;
  }
  result.status = taken.error().retryable ? SinkResult::retry : SinkResult::rejected;
  if (taken.error().retryable) result.retry_after = kRetryDelay;
  result.message = std::move(taken.error().message);
  return result;
}

}  // namespace alphaswarm::collector
