#include "alphaswarm/observability/export/queued_sink.hpp"

#include <algorithm>
#include <utility>

#include "alphaswarm/base/log.hpp"
#include "alphaswarm/base/thread.hpp"

namespace alphaswarm::observability {

using std::chrono::milliseconds;

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
      changed_.wait(lock, stop, [&] { return !queue_.empty(); });
      if (queue_.empty()) return;
      batch = std::move(queue_.front());
      queue_.pop_front();
      bytes_ -= batch.request.size();
      sending_ = true;
    }
    (deliver(batch, stop) ? forwarded_ : dropped_).add(batch.span_count);
    const std::scoped_lock lock(mutex_);
    sending_ = false;
    changed_.notify_all();
  }
}

bool QueuedSink::deliver(const Queued& batch, const std::stop_token& stop) {
  using std::chrono::steady_clock;
  const auto deadline = steady_clock::now() + timeout_;
  for (milliseconds backoff{500};; backoff = std::min(backoff * 2, milliseconds(5'000))) {
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - steady_clock::now());
    if (left <= milliseconds(0)) return false;
    const SinkResult result =
        inner_->send({batch.request, batch.span_count},
                     stop.stop_requested() ? std::min(left, milliseconds(500)) : left);
    if (result.status == SinkResult::accepted) return true;
    if (result.status == SinkResult::rejected || stop.stop_requested()) return false;
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, stop, std::max(result.retry_after, backoff), [] { return false; });
  }
}

}  // namespace alphaswarm::observability
