#pragma once

// The smallest lazy coroutine task, for tests: runs on the thread that runs it.

#include <coroutine>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

namespace alphaswarm::observability::testing {

template <class T>
struct TaskResult {
  std::conditional_t<std::is_reference_v<T>, std::remove_reference_t<T>*, std::optional<T>> value{};
  void return_value(T made) {
    if constexpr (std::is_reference_v<T>) {
      value = &made;
    } else {
      value.emplace(std::move(made));
    }
  }
  T take() {
    if constexpr (std::is_reference_v<T>) {
      return *value;
    } else {
      return std::move(*value);
    }
  }
};
template <>
struct TaskResult<void> {
  void return_void() {}
  void take() {}
};

template <class T>
class Task {
 public:
  struct promise_type : TaskResult<T> {
    std::coroutine_handle<> awaiting = std::noop_coroutine();
    std::exception_ptr error;

    Task get_return_object() {
      return Task(std::coroutine_handle<promise_type>::from_promise(*this));
    }
    std::suspend_always initial_suspend() noexcept { return {}; }
    auto final_suspend() noexcept {
      struct Resume {
        bool await_ready() noexcept { return false; }
        std::coroutine_handle<> await_suspend(std::coroutine_handle<promise_type> done) noexcept {
          return done.promise().awaiting;
        }
        void await_resume() noexcept {}
      };
      return Resume{};
    }
    void unhandled_exception() { error = std::current_exception(); }
  };

  explicit Task(std::coroutine_handle<promise_type> handle) : handle_(handle) {}
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Task& operator=(Task&&) = delete;
  ~Task() {
    if (handle_) handle_.destroy();
  }

  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiting) noexcept {
    handle_.promise().awaiting = awaiting;
    return handle_;
  }
  T await_resume() {
    if (handle_.promise().error) std::rethrow_exception(handle_.promise().error);
    return handle_.promise().take();
  }
  void resume() { handle_.resume(); }

 private:
  std::coroutine_handle<promise_type> handle_;
};

template <class T>
T run(Task<T> task) {
  task.resume();
  return task.await_resume();
}

}  // namespace alphaswarm::observability::testing
