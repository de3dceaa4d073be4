#pragma once

// An event loop with its own threads, and the ways to start a task on it.

#include <chrono>
#include <concepts>
#include <condition_variable>
#include <coroutine>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "alphaswarm/base/error.hpp"
#include "alphaswarm/net/coroutine.hpp"
#include "alphaswarm/net/detail/fork.hpp"

namespace alphaswarm::net {

namespace detail {
class RuntimeImpl;
}

// Threads are named `name`, or `name-0`… when there are several. One fork runs on one thread at a
// time, on any of them. Short blocking calls in a task are fine; long ones hold up a thread, unless
// they are made by blocking().
class Runtime {
 public:
  // threads MUST be at least 1; `blocking_threads` more are for blocking() alone.
  explicit Runtime(std::string name, unsigned threads, unsigned blocking_threads = 0);
  ~Runtime();  // stop()
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  // Asks every task to stop, waits up to `limit` for them to end, joins the threads. Tasks that
  // ignore the request are abandoned, logged and counted. MUST NOT be called from a task of this
  // runtime. A second call does nothing.
  void stop(std::chrono::milliseconds limit = std::chrono::milliseconds(1500));

  [[nodiscard]] std::stop_token stop_token() const noexcept;
  [[nodiscard]] std::string_view name() const noexcept;
  // Forks that have started and not ended.
  [[nodiscard]] std::size_t active_tasks() const noexcept;
  // The runtime whose task runs now; null outside one.
  [[nodiscard]] static Runtime* current() noexcept;

  [[nodiscard]] detail::RuntimeImpl& impl() noexcept { return *impl_; }  // for net's .cpp files

 private:
  std::unique_ptr<detail::RuntimeImpl> impl_;
};

// The token of the task that runs now; one that never stops outside a task. Leaf awaits (sleeps,
// sockets, channels) observe it by themselves.
[[nodiscard]] std::stop_token this_task_stop_token() noexcept;

// Sleeps without holding a thread. ErrorCode::cancelled when the task is asked to stop.
task<Result<void>> sleep_for(std::chrono::nanoseconds duration);
// Lets other tasks run; continues on any thread of the runtime.
task<void> yield();

namespace detail {
// Whether the current task's runtime has threads for blocking().
[[nodiscard]] bool has_blocking_threads() noexcept;
// Calls `function(context)` on one of them, in the current task's slot, then resumes the task.
void call_blocking(std::coroutine_handle<> handle, void (*function)(void*), void* context);

template <class Call>
class Blocking {
 public:
  explicit Blocking(Call& call) noexcept : call_(call) {}
  [[nodiscard]] bool await_ready() {
    if (has_blocking_threads()) return false;
    run(this);
    return true;
  }
  void await_suspend(std::coroutine_handle<> handle) { call_blocking(handle, run, this); }
  std::invoke_result_t<Call&> await_resume() {
    if (error_) std::rethrow_exception(error_);
    if constexpr (!std::is_void_v<std::invoke_result_t<Call&>>) return std::move(*result_);
  }

 private:
  static void run(void* context) noexcept {
    auto& self = *static_cast<Blocking*>(context);
    try {
      if constexpr (std::is_void_v<std::invoke_result_t<Call&>>) {
        self.call_();
        self.result_.emplace();
      } else {
        self.result_.emplace(self.call_());
      }
    } catch (...) {
      self.error_ = std::current_exception();
    }
  }

  Call& call_;
  std::optional<Unit<std::invoke_result_t<Call&>>> result_;
  std::exception_ptr error_;
};

Fork run_detached(task<void> work);
Fork run_detached(task<void> work, std::stop_source stop, std::stop_token runtime_stop);
void start_detached(Runtime& runtime, Fork fork, std::stop_token stop);

template <class Callable>
task<void> keep_callable(Callable callable) {
  co_await callable();
}

// Tells one waiting thread, once. A mutex, so that the waiter may destroy it at once.
struct Signal {
  void raise();
  void wait();

  std::mutex mutex;
  std::condition_variable changed;
  bool raised = false;  // guarded by mutex
};

template <class T>
Fork run_and_signal(task<T> work, std::optional<Unit<T>>& out, std::exception_ptr& error,
                    Signal& done) {
  try {
    task<T> own = std::move(work);
    if constexpr (std::is_void_v<T>) {
      co_await std::move(own);
      out.emplace();
    } else {
      out.emplace(co_await std::move(own));
    }
  } catch (...) {
    error = std::current_exception();
  }
  done.raise();
}
void wait_from_outside(Runtime& runtime, Fork fork, Signal& done);
}  // namespace detail

// Makes a call that may wait, e.g. for a database, on one of the runtime's blocking threads, so
// that its other tasks go on; the task continues when the call returns. The call is made in the
// task's own slot: spans it starts hang where the task's do. Not cancelled by a stop, as a thread
// that waits is not. On a runtime without such threads it is an ordinary call.
template <class Call>
task<std::invoke_result_t<Call&>> blocking(Call call) {
  co_return co_await detail::Blocking<Call>(call);
}

// Starts a detached task, with its own slot copied from the caller's and the runtime's stop token.
// From any thread. An exception that leaves it is logged and counted. On a runtime that has ended
// nothing runs; that is logged.
void spawn(Runtime& runtime, task<void> work);
// The same, stopped by `stop` as well as with the runtime.
void spawn(Runtime& runtime, std::stop_source stop, task<void> work);
// The same for a lambda that is a coroutine: it is kept until its task ends, so that captures live.
template <class Callable>
  requires std::same_as<std::invoke_result_t<Callable&>, task<void>>
void spawn(Runtime& runtime, Callable callable) {
  spawn(runtime, detail::keep_callable(std::move(callable)));
}

// Runs `work` on `runtime` and waits for it. For main() and tests: MUST NOT be called from a task
// of that runtime (it would wait for itself; std::logic_error).
template <class T>
T block_on(Runtime& runtime, task<T> work) {
  std::optional<detail::Unit<T>> out;
  std::exception_ptr error;
  detail::Signal done;
  detail::wait_from_outside(runtime, detail::run_and_signal(std::move(work), out, error, done),
                            done);
  if (error) std::rethrow_exception(error);
  if constexpr (!std::is_void_v<T>) return std::move(*out);
}

}  // namespace alphaswarm::net
