#include "alphaswarm/observability/export/spill_sink.hpp"

#include <algorithm>
#include <utility>

#include "alphaswarm/base/log.hpp"

namespace alphaswarm::observability {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kFirstBackoff{1'000};
constexpr milliseconds kMaxBackoff{30'000};
// The longest that a receiver is believed: what it says comes from the network.
constexpr milliseconds kLongestWait{300'000};
// An empty folder is looked into so often, for what other processes of the service left there.
constexpr milliseconds kLookEvery{5'000};
// Kept batches go out for so long at a time: new spans wait meanwhile.
constexpr milliseconds kSlice{100};

}  // namespace

SpillSink::SpillSink(std::shared_ptr<BatchSink> inner, SpillFolder folder, std::string service,
                     std::int64_t timeout_ms)
    : inner_(std::move(inner)),
      folder_(std::move(folder)),
      service_(std::move(service)),
      timeout_(timeout_ms),
      random_(thread_random().next()),
      backoff_(kFirstBackoff) {}

SinkResult SpillSink::send(const Batch& batch, milliseconds timeout) {
  if (steady_clock::now() < next_try_) {
    if (SinkResult kept = store(batch); kept.status == SinkResult::kept) return kept;
  }
  SinkResult result = inner_->send(batch, timeout);
  receiver_answers(result.status != SinkResult::retry, result.retry_after);
  if (result.status != SinkResult::retry) return result;
  SinkResult kept = store(batch);
  if (kept.status == SinkResult::kept) {
    kept.message = std::move(result.message);
    kept.asked = result.asked;
    return kept;
  }
  result.message += "; " + kept.message;
  return result;
}

SinkResult SpillSink::keep(const Batch& batch) {
  SinkResult kept = store(batch);
  if (kept.status != SinkResult::kept) account_->lost.fetch_add(1, std::memory_order_relaxed);
  return kept;
}

SinkResult SpillSink::store(const Batch& batch) {
  if (auto stored = folder_.store(batch, *account_); !stored) {
    account_->errors.fetch_add(1, std::memory_order_relaxed);
    return {.status = SinkResult::rejected, .message = stored.error().message, .asked = false};
  }
  account_->kept.fetch_add(batch.span_count, std::memory_order_relaxed);
  next_look_ = {};
  return {.status = SinkResult::kept, .message = "the receiver is away", .asked = false};
}

void SpillSink::stop_by(TimePoint deadline) {
  const TimePoint now = steady_clock::now();
  inner_->stop_by(now + std::max(deadline - now, TimePoint::duration::zero()) / 2);
}

void SpillSink::idle() {
  const TimePoint begin = steady_clock::now();
  if (begin < next_try_ || begin < next_look_) return;
  for (const std::string& name : folder_.names()) {
    if (!send_kept(name) || steady_clock::now() - begin > kSlice) return;
  }
  next_look_ = steady_clock::now() + kLookEvery;
  if (const std::uint64_t spans = std::exchange(resent_, 0); spans != 0) {
    log_info("tracing", std::to_string(spans) + " spilled spans of " + service_ + " were sent");
  }
}

bool SpillSink::send_kept(const std::string& name) {
  const auto kept = folder_.take(name, *account_);
  if (!kept) return true;
  const Batch batch = kept->batch();
  const SinkResult result = inner_->send(batch, timeout_);
  receiver_answers(result.status != SinkResult::retry, result.retry_after);
  if (result.status == SinkResult::retry) return false;
  kept->remove();
  const std::uint32_t refused = result.status == SinkResult::accepted
                                    ? std::min(result.rejected_spans, batch.span_count)
                                    : batch.span_count;
  account_->sent.fetch_add(batch.span_count - refused, std::memory_order_relaxed);
  account_->rejected.fetch_add(refused, std::memory_order_relaxed);
  resent_ += batch.span_count - refused;
  return true;
}

void SpillSink::receiver_answers(bool well, milliseconds retry_after) {
  if (well) {
    backoff_ = kFirstBackoff;
    next_try_ = {};
    return;
  }
  const auto jittered = milliseconds(static_cast<std::int64_t>(
      static_cast<double>(backoff_.count()) * (0.5 + random_.uniform() / 2)));
  next_try_ = steady_clock::now() + std::min(std::max(retry_after, jittered), kLongestWait);
  backoff_ = std::min(backoff_ * 2, kMaxBackoff);
}

}  // namespace alphaswarm::observability
