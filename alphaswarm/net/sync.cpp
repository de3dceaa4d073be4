#include "alphaswarm/net/sync.hpp"

namespace alphaswarm::net {
namespace {

Result<void> failure(detail::WaitOutcome outcome) {
  if (outcome == detail::WaitOutcome::cancelled) {
    return fail(ErrorCode::cancelled, "the task was asked to stop");
  }
  return fail(ErrorCode::deadline_exceeded, "the event was not set in time");
}

}  // namespace

void AsyncEvent::set() {
  const std::lock_guard lock(mutex_);
  set_ = true;
  waiters_.wake_all();
}

void AsyncEvent::reset() {
  const std::lock_guard lock(mutex_);
  set_ = false;
}

bool AsyncEvent::is_set() const {
  const std::lock_guard lock(mutex_);
  return set_;
}

task<Result<void>> AsyncEvent::wait() { return wait_until(detail::kNoDeadline); }

task<Result<void>> AsyncEvent::wait_for(std::chrono::nanoseconds limit) {
  return wait_until(std::chrono::steady_clock::now() + limit);
}

task<Result<void>> AsyncEvent::wait_until(detail::Deadline deadline) {
  const auto ready = [this] { return set_; };
  const auto outcome = co_await detail::Wait(mutex_, waiters_, deadline, ready);
  // Once more through the mutex: the setter has left set() before the event may be destroyed.
  const std::lock_guard lock(mutex_);
  if (outcome == detail::WaitOutcome::woken) co_return Result<void>();
  co_return failure(outcome);
}

task<Result<AsyncMutex::Guard>> AsyncMutex::lock() {
  const auto take_if_free = [this] { return !std::exchange(locked_, true); };
  const auto outcome = co_await detail::Wait(mutex_, waiters_, detail::kNoDeadline, take_if_free);
  if (outcome != detail::WaitOutcome::woken) {
    co_return fail(ErrorCode::cancelled, "the task was asked to stop");
  }
  co_return Guard(this);
}

void AsyncMutex::unlock() {
  const std::lock_guard lock(mutex_);
  // Handed over, not freed: whoever is woken holds it already.
  if (!waiters_.wake_one()) locked_ = false;
}

}  // namespace alphaswarm::net
