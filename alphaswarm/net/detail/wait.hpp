#pragma once

// One suspension of the running task, ended by exactly one of: a wake-up, a request to stop, a
// deadline. Channels, events, mutexes, pools and sleeps are built on it.

#include <chrono>
#include <coroutine>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>

#include "alphaswarm/net/detail/fork.hpp"

namespace alphaswarm::net::detail {

using Deadline = std::chrono::steady_clock::time_point;
inline constexpr Deadline kNoDeadline = Deadline::max();

enum class WaitOutcome : unsigned char { woken, cancelled, timed_out };

// Calls `function(context)` once, on a thread of the runtime, at `deadline`. After the destructor
// it does not run and will not.
class Timer {
 public:
  Timer(Runtime& runtime, Deadline deadline, void (*function)(void*), void* context);
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

 private:
  struct State;
  std::shared_ptr<State> state_;  // shared with the handler that the event loop holds
};

class WaitNode;

// Who waits, oldest first. Guarded by the owner's mutex.
class WaitQueue {
 public:
  WaitQueue() = default;
  WaitQueue(const WaitQueue&) = delete;
  WaitQueue& operator=(const WaitQueue&) = delete;

  bool wake_one();  // false if nobody waits
  void wake_all();

 private:
  friend class WaitNode;
  WaitNode* first_ = nullptr;
  WaitNode* last_ = nullptr;
};

// Lives in the frame of the coroutine that waits.
class WaitNode {
 public:
  WaitNode(std::mutex& mutex, WaitQueue& queue, Deadline deadline)
      : mutex_(mutex), queue_(queue), deadline_(deadline) {}
  WaitNode(const WaitNode&) = delete;
  WaitNode& operator=(const WaitNode&) = delete;

 protected:
  // Arms stop request and deadline; then the caller takes the mutex and calls link().
  void arm(std::coroutine_handle<> handle);
  // Under the mutex: the wait is over before it began.
  void settle() noexcept {
    phase_ = Phase::over;
    outcome_ = WaitOutcome::woken;
  }
  // Under the mutex. False if already interrupted.
  bool link() noexcept;
  WaitOutcome disarm() noexcept;
  std::mutex& mutex() noexcept { return mutex_; }

 private:
  friend class WaitQueue;
  struct OnStop {
    void operator()() const noexcept { node->interrupt(WaitOutcome::cancelled); }
    WaitNode* node;
  };
  void interrupt(WaitOutcome outcome) noexcept;
  void unlink() noexcept;

  enum class Phase : unsigned char { before, linked, over };

  std::mutex& mutex_;
  WaitQueue& queue_;
  Deadline deadline_;
  TaskState* task_ = nullptr;
  std::coroutine_handle<> handle_;
  WaitNode* previous_ = nullptr;
  WaitNode* next_ = nullptr;
  Phase phase_ = Phase::before;               // guarded by mutex_
  WaitOutcome outcome_ = WaitOutcome::woken;  // guarded by mutex_
  std::optional<std::stop_callback<OnStop>> on_stop_;
  std::optional<Timer> timer_;
};

// `co_await Wait(mutex, queue, deadline, ready)`: suspends unless ready() is true (called under
// the mutex). After a wake-up the caller looks again: another task may have been faster.
template <class Ready>
class Wait : public WaitNode {
 public:
  Wait(std::mutex& mutex, WaitQueue& queue, Deadline deadline, Ready ready)
      : WaitNode(mutex, queue, deadline), ready_(ready) {}

  [[nodiscard]] bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> handle) {
    arm(handle);
    const std::lock_guard lock(mutex());
    if (!ready_()) return link();
    settle();
    return false;
  }
  WaitOutcome await_resume() noexcept { return disarm(); }

 private:
  Ready ready_;
};

}  // namespace alphaswarm::net::detail
