#include "alphaswarm/observability/sdk/delivery.hpp"

#if ALPHASWARM_OTEL

#include <algorithm>

#include "alphaswarm/base/log.hpp"

namespace alphaswarm::observability::inline ALPHASWARM_OTEL_NAMESPACE::detail {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

// As other OpenTelemetry exporters: doubling from one second to at most five.
constexpr milliseconds kFirstBackoff{1'000};
constexpr milliseconds kMaxBackoff{5'000};

constexpr std::int64_t kWindowNs = 60'000'000'000;  // of the slowest call
std::int64_t since_start(steady_clock::time_point at) noexcept {
  return std::chrono::nanoseconds(at.time_since_epoch()).count();
}

std::string_view error_type(const SinkResult& result) noexcept {
  if (result.status == SinkResult::kept) return "unavailable";
  return result.status == SinkResult::accepted && result.rejected_spans == 0 ? "" : "rejected";
}

Stats::Spill read(const SpillAccount& account) noexcept {
  const auto value = [](const std::atomic<std::uint64_t>& count) {
    return count.load(std::memory_order_relaxed);
  };
  return {value(account.kept),     value(account.sent),      value(account.overwritten),
          value(account.rejected), value(account.set_aside), value(account.errors),
          value(account.lost)};
}

}  // namespace

void add(Stats::Spill& sum, const Stats::Spill& more) noexcept {
  sum.kept += more.kept;
  sum.sent += more.sent;
  sum.overwritten += more.overwritten;
  sum.rejected += more.rejected;
  sum.set_aside += more.set_aside;
  sum.errors += more.errors;
  sum.lost += more.lost;
}

void ExportListeners::add(std::weak_ptr<ExportListener> listener) {
  const std::scoped_lock lock(mutex_);
  std::erase_if(listeners_, [](const auto& each) { return each.expired(); });
  listeners_.push_back(std::move(listener));
}

void ExportListeners::tell(double seconds, std::string_view error) {
  const std::scoped_lock lock(mutex_);
  for (const auto& each : listeners_) {
    if (const auto listener = each.lock()) listener->exported(seconds, error);
  }
}

Delivery::Delivery(const Config& config, std::vector<std::shared_ptr<BatchSink>> sinks,
                   ExportListeners* listeners)
    : timeout_(config.timeout_ms),
      service_(config.service_name),
      sinks_(std::move(sinks)),
      listeners_(listeners),
      random_(thread_random().next()) {
  for (const auto& sink : sinks_) {
    if (auto spill = sink->spill()) spills_.push_back(std::move(spill));
  }
}

SinkResult Delivery::offer(const Batch& batch, TimePoint until) {
  const TimePoint begin = steady_clock::now();
  milliseconds backoff = kFirstBackoff;
  bool asked = false;
  std::string why;
  for (bool first = true;; first = false) {
    const auto left = duration_cast<milliseconds>(limit(until) - steady_clock::now());
    if (left <= milliseconds(0)) break;
    if (!first) retries_.fetch_add(1, std::memory_order_relaxed);
    SinkResult result = timed_send(batch, left);
    if (result.status != SinkResult::retry) {
      if (result.asked) tell(begin, error_type(result));
      return result;
    }
    report(true, result.message);
    asked = asked || result.asked;
    why = std::move(result.message);
    const auto jittered = milliseconds(static_cast<std::int64_t>(
        static_cast<double>(backoff.count()) * (0.5 + random_.uniform() / 2)));
    pause(std::max(result.retry_after, jittered), until);
    backoff = std::min(backoff * 2, kMaxBackoff);
  }
  if (asked) tell(begin, "unavailable");
  SinkResult result = sinks_.front()->keep(batch);
  if (!why.empty()) result.message = std::move(why);
  return result;
}

void Delivery::tell(TimePoint begin, std::string_view error) {
  if (listeners_ == nullptr) return;
  const std::chrono::duration<double> took = steady_clock::now() - begin;
  listeners_->tell(took.count(), error);
}

SinkResult Delivery::timed_send(const Batch& batch, milliseconds timeout) {
  const TimePoint begin = steady_clock::now();
  SinkResult result = sinks_.front()->send(batch, timeout);
  if (!result.asked) return result;
  const TimePoint end = steady_clock::now();
  const std::int64_t now_ns = since_start(end);
  if (const std::int64_t age = now_ns - minute_ns_.load(std::memory_order_relaxed);
      age >= kWindowNs) {
    const std::int64_t last = slowest_ns_.exchange(0, std::memory_order_relaxed);
    slowest_before_ns_.store(age < 2 * kWindowNs ? last : 0, std::memory_order_relaxed);
    minute_ns_.store(now_ns, std::memory_order_relaxed);
  }
  const std::int64_t took = std::chrono::nanoseconds(end - begin).count();
  calls_.fetch_add(1, std::memory_order_relaxed);
  call_ns_.fetch_add(took, std::memory_order_relaxed);
  if (took > slowest_ns_.load(std::memory_order_relaxed)) {
    slowest_ns_.store(took, std::memory_order_relaxed);  // this thread alone writes it
  }
  return result;
}

void Delivery::deliver(const Batch& batch, TimePoint deadline) {
  batches_.fetch_add(1, std::memory_order_relaxed);
  const SinkResult result = offer(batch, std::min(deadline, steady_clock::now() + timeout_));
  if (result.status == SinkResult::accepted) {
    const std::uint32_t refused = std::min(result.rejected_spans, batch.span_count);
    exported_.fetch_add(batch.span_count - refused, std::memory_order_relaxed);
    rejected_.fetch_add(refused, std::memory_order_relaxed);
    if (refused != 0 && !std::exchange(reported_rejection_, true)) {
      log_warning("tracing", "the receiver refused " + std::to_string(refused) + " spans of " +
                                 service_ + ": " + result.message + " (said once)");
    }
    report(false, {});
  } else if (result.status == SinkResult::kept) {
    spilled_.fetch_add(batch.span_count, std::memory_order_relaxed);
    report(true, result.message, true);
  } else {
    failed_.fetch_add(batch.span_count, std::memory_order_relaxed);
    report(true, result.message);
  }
  for (std::size_t i = 1; i < sinks_.size(); ++i) {
    static_cast<void>(sinks_[i]->send(batch, milliseconds(0)));  // queues, and counts by itself
  }
}

Delivery::TimePoint Delivery::limit(TimePoint given) {
  const std::scoped_lock lock(mutex_);
  return std::min(given, stop_deadline_);
}

void Delivery::pause(milliseconds time, TimePoint until) {
  std::unique_lock lock(mutex_);
  const TimePoint end = std::min(until, steady_clock::now() + time);
  // A shutdown may have brought the end nearer: one more try, at its deadline at the latest.
  stopped_.wait_until(lock, end, [&] { return stop_deadline_ < end; });
  if (stop_deadline_ < end) {
    stopped_.wait_until(lock, stop_deadline_ - milliseconds(50), [] { return false; });
  }
}

bool Delivery::flush(TimePoint deadline) {
  bool all = true;
  for (const auto& sink : sinks_) {
    const auto left = duration_cast<milliseconds>(
        std::min(deadline - steady_clock::now(), steady_clock::duration(timeout_)));
    all = sink->flush(std::max(left, milliseconds(0))) && all;
  }
  return all;
}

void Delivery::stop_by(TimePoint deadline) {
  for (const auto& sink : sinks_) sink->stop_by(deadline);
  const std::scoped_lock lock(mutex_);
  stop_deadline_ = deadline;
  stopped_.notify_all();
}

void Delivery::report(bool failed, const std::string& message, bool kept) {
  if (failed == std::exchange(failing_, failed)) return;  // once for each change
  if (failed) {
    log_warning("tracing",
                "spans of " + service_ + " cannot be exported: " + message +
                    (kept ? "; they are kept in the spill folder"
                          : "; trying again, newer ones are dropped when memory runs out"));
  } else {
    log_info("tracing", "spans of " + service_ + " are exported again");
  }
}

void Delivery::add_to(Stats& stats) const noexcept {
  for (const auto& account : spills_) add(stats.spill, read(*account));
  stats.spilled += spilled_.load(std::memory_order_relaxed);
  stats.exported += exported_.load(std::memory_order_relaxed);
  stats.dropped.export_failed += failed_.load(std::memory_order_relaxed);
  stats.dropped.rejected += rejected_.load(std::memory_order_relaxed);
  stats.batches += batches_.load(std::memory_order_relaxed);
  const auto seconds = [](const std::atomic<std::int64_t>& ns) {
    return static_cast<double>(ns.load(std::memory_order_relaxed)) * 1e-9;
  };
  stats.exports.calls += calls_.load(std::memory_order_relaxed);
  stats.exports.seconds += seconds(call_ns_);
  const std::int64_t age =
      since_start(steady_clock::now()) - minute_ns_.load(std::memory_order_relaxed);
  if (age < 2 * kWindowNs) {  // else no call was made in the last two minutes
    stats.exports.max_seconds =
        std::max({stats.exports.max_seconds, seconds(slowest_ns_), seconds(slowest_before_ns_)});
  }
  stats.retries += retries_.load(std::memory_order_relaxed);
}

}  // namespace alphaswarm::observability::inline ALPHASWARM_OTEL_NAMESPACE::detail

#endif
