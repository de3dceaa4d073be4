#include "alphaswarm/net/runtime.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <optional>
#include <stdexcept>
#include <thread>

#include "alphaswarm/base/counters.hpp"
#include "alphaswarm/base/log.hpp"
#include "alphaswarm/base/thread.hpp"
#include "alphaswarm/net/detail/runtime_impl.hpp"
#include "alphaswarm/net/detail/wait.hpp"

namespace alphaswarm::net {
namespace detail {
namespace {

// What this thread runs, innermost first; `next_*` is set by schedule_next.
struct Running {
  TaskState* task = nullptr;
  TaskState* next_task = nullptr;
  std::coroutine_handle<> next_handle;
};

thread_local constinit Running* running = nullptr;
thread_local constinit Runtime* thread_runtime = nullptr;

}  // namespace

TaskState* current_task() noexcept { return running != nullptr ? running->task : nullptr; }

bool in_runtime(const Runtime& runtime) noexcept { return thread_runtime == &runtime; }

void run(TaskState& task, std::coroutine_handle<> handle) {
  Running now;
  Running* const outer = running;
  running = &now;
  TaskState* next = &task;
  while (next != nullptr) {
    now.task = next;
    const TaskSlotScope scope(&next->slot);
    handle.resume();  // the task may have ended: its state is not touched again
    next = std::exchange(now.next_task, nullptr);
    handle = now.next_handle;
  }
  running = outer;
}

void schedule(TaskState& task, std::coroutine_handle<> handle) {
  Runtime& runtime = *task.runtime;  // `task` may be gone when the post returns
  std::optional<RuntimeImpl::Posting> foreign;
  if (!in_runtime(runtime)) foreign.emplace(runtime.impl());
  boost::asio::post(runtime.impl().io, [&task, handle] { run(task, handle); });
}

void schedule_next(TaskState& task, std::coroutine_handle<> handle) {
  if (running != nullptr && running->next_task == nullptr && in_runtime(*task.runtime)) {
    running->next_task = &task;
    running->next_handle = handle;
  } else {
    schedule(task, handle);
  }
}

void forget(Runtime& runtime) noexcept { runtime.impl().leave(); }

bool Fork::start(Runtime& runtime, std::stop_token stop) {
  if (!runtime.impl().enter()) return false;
  TaskState& state = handle_.promise().state;
  state.slot = current_task_slot();
  state.runtime = &runtime;
  state.stop = std::move(stop);
  schedule(state, std::exchange(handle_, nullptr));
  return true;
}

bool Group::launch(Runtime& runtime, std::span<Fork> children, std::coroutine_handle<> parent) {
  parent_ = current_task();
  parent_handle_ = parent;
  // One more than the children: nobody resumes the parent before all have been started.
  pending_.store(children.size() + 1, std::memory_order_relaxed);
  for (std::size_t i = 0; i < children.size(); ++i) {
    if (children[i].start(runtime, stop_.get_token())) continue;
    finished(i, std::make_exception_ptr(std::runtime_error("the runtime has ended")), true);
  }
  // Pairs with child_left: whoever brings it to zero sees what all children wrote.
  return pending_.fetch_sub(1, std::memory_order_acq_rel) != 1;
}

void Group::finished(std::size_t index, std::exception_ptr error, bool stop_siblings) noexcept {
  if (error && !someone_failed_.exchange(true, std::memory_order_relaxed)) error_ = error;
  if (!someone_finished_.exchange(true, std::memory_order_relaxed)) {
    winner_ = index;
    winner_error_ = std::move(error);
  }
  if (stop_siblings) stop_.request_stop();
  child_left();
}

void Group::child_left() noexcept {
  TaskState* const parent = parent_;
  const std::coroutine_handle<> handle = parent_handle_;
  if (pending_.fetch_sub(1, std::memory_order_acq_rel) == 1) schedule_next(*parent, handle);
}

namespace {

void report_escaped(std::exception_ptr error) {
  static Counter& escaped =
      counter("alphaswarm_net_task_exceptions_total", "", "Exceptions that left a detached task.");
  escaped.add();
  try {
    std::rethrow_exception(std::move(error));
  } catch (const std::exception& exception) {
    log_error("net", std::string("an exception left a detached task: ") + exception.what());
  } catch (...) {
    log_error("net", "an exception of unknown type left a detached task");
  }
}

}  // namespace

Fork run_detached(task<void> work) {
  try {
    task<void> own = std::move(work);
    co_await std::move(own);
  } catch (...) {
    report_escaped(std::current_exception());
  }
}

Fork run_detached(task<void> work, std::stop_source stop, std::stop_token runtime_stop) {
  const std::stop_callback follow(std::move(runtime_stop), PassStopOn{std::move(stop)});
  try {
    task<void> own = std::move(work);
    co_await std::move(own);
  } catch (...) {
    report_escaped(std::current_exception());
  }
}

void start_detached(Runtime& runtime, Fork fork, std::stop_token stop) {
  if (!fork.start(runtime, std::move(stop))) {
    log_warning("net", "a task was spawned on a runtime that has ended; it does not run");
  }
}

void Signal::raise() {
  const std::lock_guard lock(mutex);
  raised = true;
  changed.notify_one();
}

void Signal::wait() {
  std::unique_lock lock(mutex);
  changed.wait(lock, [this] { return raised; });
}

void wait_from_outside(Runtime& runtime, Fork fork, Signal& done) {
  if (in_runtime(runtime)) throw std::logic_error("block_on() inside its own runtime");
  if (!fork.start(runtime, runtime.stop_token())) {
    throw std::runtime_error("block_on() on a runtime that has ended");
  }
  done.wait();
}

bool has_blocking_threads() noexcept {
  const TaskState* const task = current_task();
  return task != nullptr && task->runtime->impl().has_blocking_threads();
}

void call_blocking(std::coroutine_handle<> handle, void (*function)(void*), void* context) {
  TaskState& task = *current_task();
  boost::asio::post(task.runtime->impl().blocking, [&task, handle, function, context] {
    {
      const TaskSlotScope scope(&task.slot);
      function(context);
    }
    schedule(task, handle);
  });
}

RuntimeImpl::RuntimeImpl(Runtime& owner, std::string thread_name, unsigned threads,
                         unsigned blocking_threads)
    : io(static_cast<int>(threads)),
      blocking(static_cast<int>(std::max(blocking_threads, 1U))),
      name(std::move(thread_name)),
      work_(io.get_executor()),
      blocking_work_(blocking.get_executor()),
      has_blocking_threads_(blocking_threads > 0) {
  for (unsigned i = 0; i < blocking_threads; ++i) {
    blocking_threads_.push_back(
        start_thread(name + "-wait-" + std::to_string(i), [this, &owner](std::stop_token) {
          thread_runtime = &owner;
          blocking.run();
        }));
  }
  for (unsigned i = 0; i < threads; ++i) {
    const std::string own_name = threads == 1 ? name : name + "-" + std::to_string(i);
    threads_.push_back(start_thread(own_name, [this, &owner](std::stop_token) {
      thread_runtime = &owner;
      io.run();
    }));
  }
}

bool RuntimeImpl::enter() noexcept {
  // Acquire pairs with the release in stop(): who sees the door closed sees a runtime that ended.
  if ((active_.fetch_add(1, std::memory_order_acq_rel) & kEnded) == 0) return true;
  active_.fetch_sub(1, std::memory_order_relaxed);
  return false;
}

void RuntimeImpl::leave() noexcept {
  if (active_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  const std::lock_guard lock(mutex_);
  idle_.notify_all();
}

void RuntimeImpl::stop(std::chrono::milliseconds limit) {
  std::call_once(stopped_, [&] {
    stop_source.request_stop();
    {
      std::unique_lock lock(mutex_);
      const auto empty = [this] {
        std::uint64_t none = 0;
        return active_.compare_exchange_strong(none, kEnded, std::memory_order_acq_rel);
      };
      if (!idle_.wait_for(lock, limit, empty)) {
        const std::uint64_t left = active_.fetch_or(kEnded, std::memory_order_acq_rel);
        counter("alphaswarm_net_tasks_abandoned_total", "",
                "Tasks that did not end when their runtime stopped.")
            .add(left);
        log_warning("net", name + ": " + std::to_string(left) +
                               " task(s) ignored the request to stop and were abandoned");
      }
    }
    blocking_work_.reset();
    blocking.stop();
    blocking_threads_.clear();  // when the calls in progress have returned
    if (has_blocking_threads_) {  // and the tasks that made them have had their turn
      Signal turn;
      boost::asio::post(io, [&turn] { turn.raise(); });
      turn.wait();
    }
    work_.reset();
    io.stop();
    threads_.clear();
    // Acquire pairs with the release of ~Posting; a post takes microseconds.
    while (posting_.load(std::memory_order_acquire) != 0) std::this_thread::yield();
  });
}

struct Timer::State {
  State(boost::asio::io_context& io, Deadline deadline) : timer(io, deadline) {}

  std::mutex mutex;  // held while the function runs, so that ~Timer can wait for it
  boost::asio::steady_timer timer;
  void (*function)(void*) = nullptr;
  void* context = nullptr;
};

Timer::Timer(Runtime& runtime, Deadline deadline, void (*function)(void*), void* context)
    : state_(std::make_shared<State>(runtime.impl().io, deadline)) {
  const std::lock_guard lock(state_->mutex);
  state_->function = function;
  state_->context = context;
  state_->timer.async_wait([state = state_](const boost::system::error_code& error) {
    if (error) return;
    const std::lock_guard fire(state->mutex);
    if (auto* call = std::exchange(state->function, nullptr)) call(state->context);
  });
}

Timer::~Timer() {
  const std::lock_guard lock(state_->mutex);
  state_->function = nullptr;
  state_->timer.cancel();
}

}  // namespace detail

Runtime::Runtime(std::string name, unsigned threads, unsigned blocking_threads)
    : impl_(std::make_unique<detail::RuntimeImpl>(*this, std::move(name), threads,
                                                  blocking_threads)) {}

Runtime::~Runtime() { stop(); }

void Runtime::stop(std::chrono::milliseconds limit) { impl_->stop(limit); }

std::stop_token Runtime::stop_token() const noexcept { return impl_->stop_source.get_token(); }

std::string_view Runtime::name() const noexcept { return impl_->name; }

std::size_t Runtime::active_tasks() const noexcept { return impl_->active(); }

Runtime* Runtime::current() noexcept { return detail::thread_runtime; }

std::stop_token this_task_stop_token() noexcept {
  const detail::TaskState* task = detail::current_task();
  return task != nullptr ? task->stop : std::stop_token();
}

task<Result<void>> sleep_for(std::chrono::nanoseconds duration) {
  std::mutex mutex;
  detail::WaitQueue nobody;
  const auto never = [] { return false; };
  const auto deadline = std::chrono::steady_clock::now() + duration;
  const auto outcome = co_await detail::Wait(mutex, nobody, deadline, never);
  if (outcome == detail::WaitOutcome::cancelled) {
    co_return fail(ErrorCode::cancelled, "the task was asked to stop");
  }
  co_return Result<void>();
}

task<void> yield() {
  struct Awaiter {
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> handle) const {
      detail::schedule(*detail::current_task(), handle);
    }
    void await_resume() const noexcept {}
  };
  co_await Awaiter{};
}

void spawn(Runtime& runtime, task<void> work) {
  detail::start_detached(runtime, detail::run_detached(std::move(work)), runtime.stop_token());
}

void spawn(Runtime& runtime, std::stop_source stop, task<void> work) {
  const std::stop_token token = stop.get_token();
  detail::Fork fork = detail::run_detached(std::move(work), std::move(stop), runtime.stop_token());
  detail::start_detached(runtime, std::move(fork), token);
}

}  // namespace alphaswarm::net
