#pragma once

// An event and a mutex that suspend the task instead of holding its thread.

#include <chrono>
#include <mutex>
#include <utility>

#include "alphaswarm/base/error.hpp"
#include "alphaswarm/net/coroutine.hpp"
#include "alphaswarm/net/detail/wait.hpp"

namespace alphaswarm::net {

// Set once (until reset), seen by all. Any thread may set it.
class AsyncEvent {
 public:
  void set();
  void reset();
  [[nodiscard]] bool is_set() const;
  // ErrorCode::cancelled when the task is asked to stop first.
  task<Result<void>> wait();
  // Also ErrorCode::deadline_exceeded.
  task<Result<void>> wait_for(std::chrono::nanoseconds limit);

 private:
  task<Result<void>> wait_until(detail::Deadline deadline);

  mutable std::mutex mutex_;
  bool set_ = false;  // guarded by mutex_
  detail::WaitQueue waiters_;
};

// Held across awaits. Fair: the oldest waiter is next.
class AsyncMutex {
 public:
  // Unlocks when destroyed.
  class Guard {
   public:
    Guard(Guard&& other) noexcept : mutex_(std::exchange(other.mutex_, nullptr)) {}
    Guard& operator=(Guard&&) = delete;
    ~Guard() {
      if (mutex_ != nullptr) mutex_->unlock();
    }

   private:
    friend AsyncMutex;
    explicit Guard(AsyncMutex* mutex) noexcept : mutex_(mutex) {}
    AsyncMutex* mutex_;
  };

  // ErrorCode::cancelled when the task is asked to stop first.
  task<Result<Guard>> lock();

 private:
  void unlock();

  std::mutex mutex_;
  bool locked_ = false;  // guarded by mutex_
  detail::WaitQueue waiters_;
};

}  // namespace alphaswarm::net
