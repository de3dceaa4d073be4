#pragma once

// Taking the context along to where it does not go by itself: threads, thread pools, callbacks.
// Coroutines of this project carry theirs already.
//
//   std::jthread worker(observability::carry_context([&] { … }));  // its spans are children here
//   pool.post(observability::carry_context(job));

#include <utility>

#include "alphaswarm/base/task_local.hpp"
#include "alphaswarm/observability/api/switch.hpp"

namespace alphaswarm::observability {
inline namespace ALPHASWARM_OTEL_NAMESPACE {

#if ALPHASWARM_OTEL

// The current span of a task, its provider and its baggage, as a value. Spans may end while a copy
// is about: children attach to them all the same.
class Context {
 public:
  Context() noexcept = default;  // none: spans begin traces
  [[nodiscard]] static Context current() noexcept {
    Context made;
    made.slot_ = current_task_slot();
    return made;
  }

 private:
  friend class ContextScope;
  TaskSlot slot_;
};

// Makes a context current on this thread until destroyed, in the reverse order of making. Spans
// that it makes current belong to the task they were started in: this one starts children, and
// cannot write to them by set_on_current().
class [[nodiscard]] ContextScope {
 public:
  explicit ContextScope(const Context& context) noexcept : slot_(context.slot_), scope_(&slot_) {}
  ContextScope(const ContextScope&) = delete;
  ContextScope& operator=(const ContextScope&) = delete;

 private:
  TaskSlot slot_;
  TaskSlotScope scope_;
};

namespace detail {

template <class F>
class Carrying {
 public:
  explicit Carrying(F function) : context_(Context::current()), function_(std::move(function)) {}

  template <class... Args>
    requires requires(F& function, Args&&... args) { function(std::forward<Args>(args)...); }
  decltype(auto) operator()(Args&&... args) noexcept(
      noexcept(std::declval<F&>()(std::forward<Args>(args)...))) {
    const ContextScope scope(context_);
    return function_(std::forward<Args>(args)...);
  }

 private:
  Context context_;
  F function_;
};

}  // namespace detail

// `function` with the context of now: whoever calls it, its spans are children of what is current
// here.
template <class F>
[[nodiscard]] auto carry_context(F function) {
  return detail::Carrying<F>(std::move(function));
}

#else

class Context {
 public:
  [[nodiscard]] static Context current() noexcept { return {}; }
};
class [[nodiscard]] ContextScope {
 public:
  explicit ContextScope(const Context&) noexcept {}
  ~ContextScope() {}  // user-provided: an unused scope must not warn
  ContextScope(const ContextScope&) = delete;
  ContextScope& operator=(const ContextScope&) = delete;
};
template <class F>
[[nodiscard]] F carry_context(F function) {
  return function;
}

#endif

}  // namespace ALPHASWARM_OTEL_NAMESPACE
}  // namespace alphaswarm::observability
