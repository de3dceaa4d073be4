#include "alphaswarm/observability/export/queued_sink.hpp"

#include <algorithm>
#include <utility>

#include "alphaswarm/base/log.hpp"
#include "alphaswarm/base/thread.hpp"

namespace alphaswarm::observability {

using std::chrono::milliseconds;

namespace {
constexpr milliseconds kIdleEvery{1'000};
}

QueuedSink::QueuedSink(std::shared_ptr<BatchSink> inner, std::string service,
                       std::int64_t timeout_ms)
    : inner_(std::move(inner)),
      timeout_(timeout_ms),
      forwarded_(counter("alphaswarm_spans_forwarded_total", "service=\"" + service + "\"",
                         "Spans a further receiver accepted.")),
      dropped_(counter("alphaswarm_spans_forward_dropped_total", "service=\"" + service + "\"",
                       "Spans a further receiver did not get.")) {
  thread_ = start_thread("otel-forward", [this](const std::stop_token& stop) { run(stop); });
}

QueuedSink::~QueuedSink() = default;

SinkResult QueuedSink::send(const Batch& batch, milliseconds) {
  const std::scoped_lock lock(mutex_);
  if (bytes_ + batch.request.size() > kMaxBytes) {
    dropped_.add(batch.span_count);
    return {.status = SinkResult::rejected, .message = "the queue is full"};
  }
  bytes_ += batch.request.size();
  queue_.push_back({std::string(batch.request), batch.span_count});
  changed_.notify_all();
  return {};
}

bool QueuedSink::flush(milliseconds timeout) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, timeout, [&] { return queue_.empty() && !sending_; });
}

void QueuedSink::run(const std::stop_token& stop) {
  for (;;) {
    Queued batch;
    {
      std::unique_lock lock(mutex_);
      if (!changed_.wait_for(lock, stop, kIdleEvery, [&] { return !queue_.empty(); })) {
        if (stop.stop_requested()) return;
        lock.unlock();
        inner_->idle();
        continue;
      }
      batch = std::move(queue_.front());
      queue_.pop_front();
      bytes_ -= batch.request.size();
      sending_ = true;
    }
    const SinkResult::Status end = deliver(batch, stop);
    if (end != SinkResult::kept) {  // those are in the spill folder's account
      (end == SinkResult::accepted ? forwarded_ : dropped_).add(batch.span_count);
    }
    const std::scoped_lock lock(mutex_);
    sending_ = false;
    changed_.notify_all();
  }
}

SinkResult::Status QueuedSink::deliver(const Queued& batch, const std::stop_token& stop) {
  using std::chrono::steady_clock;
  const auto deadline = steady_clock::now() + timeout_;
  for (milliseconds backoff{500};; backoff = std::min(backoff * 2, milliseconds(5'000))) {
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - steady_clock::now());
    if (left <= milliseconds(0)) return inner_->keep({batch.request, batch.span_count}).status;
    const SinkResult result =
        inner_->send({batch.request, batch.span_count},
                     stop.stop_requested() ? std::min(left, milliseconds(500)) : left);
    if (result.status != SinkResult::retry) return result.status;
    if (stop.stop_requested()) return inner_->keep({batch.request, batch.span_count}).status;
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, stop, std::max(result.retry_after, backoff), [] { return false; });
  }
}

}  // namespace alphaswarm::observability
