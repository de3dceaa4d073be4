#pragma once

// The root of a chain of tasks: owns the slot, the stop token and the place to run. Private to
// net; the doors are in runtime.hpp and combine.hpp.

#include <atomic>
#include <coroutine>
#include <cstddef>
#include <exception>
#include <span>
#include <stop_token>
#include <utility>

#include "alphaswarm/base/task_local.hpp"

namespace alphaswarm::net {
class Runtime;

namespace detail {

// What belongs to one fork. It lives in the fork's frame; nothing of it is shared with siblings.
struct TaskState {
  TaskSlot slot;
  Runtime* runtime = nullptr;
  std::stop_token stop;
};

// The fork that runs on this thread now; null outside a Runtime. Out of line on purpose: a
// coroutine may continue on another thread, and must not keep the address of a thread-local.
[[nodiscard]] TaskState* current_task() noexcept;

// Runs `handle` in `task` soon, on a thread of its runtime. From any thread.
void schedule(TaskState& task, std::coroutine_handle<> handle);
// The same for a caller that is about to return to the event loop: on a thread of the same runtime
// it runs next on that thread, without a trip through the queue.
void schedule_next(TaskState& task, std::coroutine_handle<> handle);
// Runs `handle` now, in `task`, until it suspends. Only from the event loop of its runtime.
void run(TaskState& task, std::coroutine_handle<> handle);
// True if the calling thread is one of `runtime`'s.
[[nodiscard]] bool in_runtime(const Runtime& runtime) noexcept;
void forget(Runtime& runtime) noexcept;

class [[nodiscard]] Fork {
 public:
  struct promise_type {
    struct FinalAwaiter {
      [[nodiscard]] bool await_ready() const noexcept { return false; }
      void await_suspend(std::coroutine_handle<promise_type> self) const noexcept {
        Runtime* runtime = self.promise().state.runtime;
        self.destroy();
        forget(*runtime);
      }
      void await_resume() const noexcept {}
    };
    Fork get_return_object() noexcept {
      return Fork(std::coroutine_handle<promise_type>::from_promise(*this));
    }
    [[nodiscard]] std::suspend_always initial_suspend() const noexcept { return {}; }
    [[nodiscard]] FinalAwaiter final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    void unhandled_exception() const noexcept { std::terminate(); }  // bodies catch everything

    TaskState state;
  };

  Fork(Fork&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Fork& operator=(Fork&&) = delete;
  ~Fork() {
    if (handle_) handle_.destroy();
  }

  // Gives the child a copy of the calling task's slot and queues it on `runtime`. False, and
  // nothing runs, if the runtime has ended.
  [[nodiscard]] bool start(Runtime& runtime, std::stop_token stop);

 private:
  explicit Fork(std::coroutine_handle<promise_type> handle) noexcept : handle_(handle) {}
  std::coroutine_handle<promise_type> handle_;
};

// Children that one parent waits for. Lives in the parent's frame.
class Group {
 public:
  Group() = default;
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;

  // Starts the children and suspends the parent until each has called finished().
  auto run(Runtime& runtime, std::span<Fork> children) {
    struct Awaiter {
      [[nodiscard]] bool await_ready() const noexcept { return false; }
      bool await_suspend(std::coroutine_handle<> parent) const {
        return group.launch(runtime, children, parent);
      }
      void await_resume() const noexcept {}
      Group& group;
      Runtime& runtime;
      std::span<Fork> children;
    };
    return Awaiter{*this, runtime, children};
  }

  // A child's last words: the group may be gone when this returns. The first to finish, and the
  // first to fail, are remembered; `stop_siblings` asks the others to stop.
  void finished(std::size_t index, std::exception_ptr error, bool stop_siblings) noexcept;

  [[nodiscard]] std::size_t winner() const noexcept { return winner_; }
  void rethrow_first_error() const {
    if (error_) std::rethrow_exception(error_);
  }
  [[nodiscard]] const std::exception_ptr& winner_error() const noexcept { return winner_error_; }
  [[nodiscard]] std::stop_source& stop() noexcept { return stop_; }

 private:
  [[nodiscard]] bool launch(Runtime& runtime, std::span<Fork> children,
                            std::coroutine_handle<> parent);
  void child_left() noexcept;

  std::stop_source stop_;
  std::atomic<std::size_t> pending_{0};
  std::atomic<bool> someone_finished_{false};
  std::atomic<bool> someone_failed_{false};
  std::size_t winner_ = 0;           // written once, by who won someone_finished_
  std::exception_ptr winner_error_;  // likewise
  std::exception_ptr error_;         // written once, by who won someone_failed_
  TaskState* parent_ = nullptr;
  std::coroutine_handle<> parent_handle_;
};

// Passes a request to stop on from one source to another.
struct PassStopOn {
  void operator()() const noexcept { to.request_stop(); }
  mutable std::stop_source to;
};

}  // namespace detail
}  // namespace alphaswarm::net
