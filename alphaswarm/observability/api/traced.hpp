#pragma once

// traced(name, fn): any callable, plain or coroutine, in a span of its own.

#include <coroutine>
#include <cstddef>
#include <string_view>
#include <type_traits>
#include <utility>

#include "alphaswarm/observability/api/span.hpp"

namespace alphaswarm::observability {
inline namespace ALPHASWARM_OTEL_NAMESPACE {

#if ALPHASWARM_OTEL

namespace detail {

template <class R, class... Args>
concept Coroutine = requires { typename std::coroutine_traits<R, Args...>::promise_type; };

// The parameter of a wrapping coroutine: references stay references, values are moved into its
// frame, as in the wrapped function itself.
template <class Arg>
using Held = std::conditional_t<std::is_lvalue_reference_v<Arg>, Arg, std::remove_cvref_t<Arg>>;

// std::invoke without <functional>, which costs users a tenth of a second of compilation.
template <class F, class... Args>
decltype(auto) call(F& function,
                    Args&&... args) noexcept(std::is_nothrow_invocable_v<F&, Args...>) {
  if constexpr (std::is_member_pointer_v<F>) {
    const auto on = [&]<class Object, class... Rest>(Object&& object,
                                                     Rest&&... rest) -> decltype(auto) {
      if constexpr (requires {
                      (std::forward<Object>(object).*function)(std::forward<Rest>(rest)...);
                    }) {
        return (std::forward<Object>(object).*function)(std::forward<Rest>(rest)...);
      } else {
        return ((*std::forward<Object>(object)).*function)(std::forward<Rest>(rest)...);
      }
    };
    return on(std::forward<Args>(args)...);
  } else {
    return function(std::forward<Args>(args)...);
  }
}

struct DescribesNothing {};

template <class F, class D>
class TracedState {
 public:
  TracedState(std::string_view name, F&& fn, D&& describe_by)
      : function(std::move(fn)), describe(std::move(describe_by)), name_size_(name.size()) {
    name_ = new char[name.size()];
    name.copy(name_, name.size());
  }
  TracedState(const TracedState&) = delete;
  TracedState& operator=(const TracedState&) = delete;
  ~TracedState() { delete[] name_; }

  template <class... Args>
  [[nodiscard]] Span start(const Args&... args) const {
    Span made = span({name_, name_size_});
    if constexpr (!std::is_same_v<D, DescribesNothing>) {
      if (made.recording()) {
        if constexpr (std::is_invocable_v<const D&, Span&, const Args&...>) {
          describe(made, args...);
        } else {
          describe(made);
        }
      }
    }
    return made;
  }

  F function;
  const D describe;

 private:
  char* name_;
  std::size_t name_size_;
};

// A shared_ptr of ours: <memory> alone would cost users more than the rest of tracing.hpp.
template <class T>
class Shared {
 public:
  template <class... Args>
  explicit Shared(std::in_place_t /*make*/, Args&&... args)
      : counted_(new Counted{1, T(std::forward<Args>(args)...)}) {}
  Shared(const Shared& other) noexcept : counted_(other.counted_) {
    __atomic_fetch_add(&counted_->owners, 1, __ATOMIC_RELAXED);  // the other one keeps it alive
  }
  Shared& operator=(Shared other) noexcept {
    std::swap(counted_, other.counted_);
    return *this;
  }
  ~Shared() {
    // Each owner's use of the value comes before its end, whoever ends it.
    if (__atomic_fetch_sub(&counted_->owners, 1, __ATOMIC_ACQ_REL) == 1) delete counted_;
  }
  T* operator->() const noexcept { return &counted_->value; }

 private:
  struct Counted {
    std::size_t owners;
    T value;
  };
  Counted* counted_;
};

// Owns the state by itself: a lazy coroutine may start after the wrapper is gone.
template <class R, class State, class... Args>
R traced_coroutine(Shared<State> state, Args... args) {
  Span current = state->start(args...);
  try {
    // Named first: g++ 12 destroys temporaries of a full expression with co_await twice.
    auto inner = detail::call(state->function, std::forward<Args>(args)...);
    co_return co_await std::move(inner);
  } catch (...) {
    current.record_current_exception();
    throw;
  }
}

template <class F, class D>
class Traced {
 public:
  Traced(std::string_view name, F&& function, D&& describe)
      : state_(std::in_place, name, std::move(function), std::move(describe)) {}

  template <class... Args>
    requires std::is_invocable_v<F&, Args...>
  std::invoke_result_t<F&, Args...> operator()(Args&&... args) const
      noexcept(std::is_nothrow_invocable_v<F&, Args...>) {
    using R = std::invoke_result_t<F&, Args...>;
    if constexpr (Coroutine<R, Args...>) {
      return traced_coroutine<R, TracedState<F, D>, Held<Args>...>(state_,
                                                                   std::forward<Args>(args)...);
    } else {
      Span current = state_->start(args...);
      if constexpr (std::is_nothrow_invocable_v<F&, Args...>) {
        return detail::call(state_->function, std::forward<Args>(args)...);
      } else {
        try {
          return detail::call(state_->function, std::forward<Args>(args)...);
        } catch (...) {
          current.record_current_exception();
          throw;
        }
      }
    }
  }

 private:
  Shared<TracedState<F, D>> state_;
};

}  // namespace detail

// A callable with the signature and result of `fn`, which runs in a span `name`. Copies share `fn`.
// An exception passes through, recorded once.
template <class F>
[[nodiscard]] auto traced(std::string_view name, F fn) {
  return detail::Traced<F, detail::DescribesNothing>(name, std::move(fn), {});
}
// With attributes: `describe(span)` or `describe(span, arguments…)` is called before `fn` with the
// span and the arguments as they came, and not at all where the span is not recorded. It must not
// throw.
//   traced("submit", submit, [](Span& span, const Order& order) { span.set("side", order.side); })
template <class F, class D>
[[nodiscard]] auto traced(std::string_view name, F fn, D describe) {
  return detail::Traced<F, D>(name, std::move(fn), std::move(describe));
}

#else

template <class F>
[[nodiscard]] F traced(std::string_view, F fn) {
  return fn;
}
template <class F, class D>
[[nodiscard]] F traced(std::string_view, F fn, const D&) {
  return fn;
}

#endif

}  // namespace ALPHASWARM_OTEL_NAMESPACE
}  // namespace alphaswarm::observability
