#include "alphaswarm/observability/export/queued_sink.hpp"

#include <algorithm>
#include <utility>

#include "alphaswarm/base/log.hpp"
#include "alphaswarm/base/thread.hpp"

namespace alphaswarm::observability {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

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
  thread_ = start_thread("otel-forward", [this](const std::stop_token&) { run(); });
}

QueuedSink::~QueuedSink() {
  stop_by(steady_clock::now() + timeout_);
  const std::scoped_lock lock(mutex_);
  over_ = true;
  changed_.notify_all();
}

void QueuedSink::stop_by(TimePoint deadline) {
  {
    const std::scoped_lock lock(mutex_);
    if (deadline >= stop_deadline_) return;
    stop_deadline_ = deadline;
    changed_.notify_all();
  }
  inner_->stop_by(deadline);
}

SinkResult QueuedSink::send(const Batch& batch, milliseconds) {
  const std::scoped_lock lock(mutex_);
  if (bytes_ + batch.request.size() > kMaxBytes) {
    dropped_.add(batch.span_count);
    return {.status = SinkResult::rejected, .message = "the queue is full"};
  }
  bytes_ += batch.request.size();
  queue_.push_back({batch.request.joined(), batch.span_count});
  changed_.notify_all();
  return {};
}

bool QueuedSink::flush(milliseconds timeout) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, timeout, [&] { return queue_.empty() && !sending_; });
}

void QueuedSink::run() {
  for (;;) {
    Queued batch;
    {
      std::unique_lock lock(mutex_);
      if (!changed_.wait_for(lock, kIdleEvery, [&] { return over_ || !queue_.empty(); })) {
        lock.unlock();
        inner_->idle();
        continue;
      }
      if (queue_.empty()) return;
      batch = std::move(queue_.front());
      queue_.pop_front();
      bytes_ -= batch.request.size();
      sending_ = true;
    }
    const SinkResult::Status end = deliver(batch);
    if (end != SinkResult::kept) {  // those are in the spill folder's account
      (end == SinkResult::accepted ? forwarded_ : dropped_).add(batch.span_count);
    }
    const std::scoped_lock lock(mutex_);
    sending_ = false;
    changed_.notify_all();
  }
}

SinkResult::Status QueuedSink::deliver(const Queued& queued) {
  const Batch batch{queued.request, queued.span_count};
  const TimePoint deadline = steady_clock::now() + timeout_;
  std::unique_lock lock(mutex_);
  const auto stopping = [&] { return stop_deadline_ != TimePoint::max(); };
  for (milliseconds backoff{500};; backoff = std::min(backoff * 2, milliseconds(5'000))) {
    const auto left = std::chrono::duration_cast<milliseconds>(std::min(deadline, stop_deadline_) -
                                                               steady_clock::now());
    const bool last = stopping();
    lock.unlock();
    if (left <= milliseconds(0)) return inner_->keep(batch).status;
    const SinkResult result = inner_->send(batch, left);
    if (result.status != SinkResult::retry) return result.status;
    if (last) return inner_->keep(batch).status;
    lock.lock();
    changed_.wait_until(
        lock, std::min(deadline, steady_clock::now() + std::max(result.retry_after, backoff)),
        stopping);
  }
}

}  // namespace alphaswarm::observability
