#pragma once

// traced(name, fn): any callable, plain or coroutine, in a span of its own.

#include <coroutine>
#include <memory>
#include <string>
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

template <class F>
struct TracedState {
  std::string name;
  F function;
};

// Owns the state by itself: a lazy coroutine may start after the wrapper is gone.
template <class R, class F, class... Args>
R traced_coroutine(std::shared_ptr<TracedState<F>> state, Args... args) {
  Span current = span(state->name);
  try {
    // Named first: g++ 12 destroys temporaries of a full expression with co_await twice.
    auto inner = detail::call(state->function, std::forward<Args>(args)...);
    co_return co_await std::move(inner);
  } catch (...) {
    current.record_current_exception();
    throw;
  }
}

template <class F>
class Traced {
 public:
  Traced(std::string name, F function)
      : state_(std::make_shared<TracedState<F>>(std::move(name), std::move(function))) {}

  template <class... Args>
    requires std::is_invocable_v<F&, Args...>
  std::invoke_result_t<F&, Args...> operator()(Args&&... args) const
      noexcept(std::is_nothrow_invocable_v<F&, Args...>) {
    using R = std::invoke_result_t<F&, Args...>;
    if constexpr (Coroutine<R, Args...>) {
      return traced_coroutine<R, F, Held<Args>...>(state_, std::forward<Args>(args)...);
    } else {
      Span current = span(state_->name);
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
  std::shared_ptr<TracedState<F>> state_;
};

}  // namespace detail

template <class F>
[[nodiscard]] auto traced(std::string name, F fn) {
  return detail::Traced<F>(std::move(name), std::move(fn));
}

#else

template <class F>
[[nodiscard]] F traced(const char*, F fn) {
  return fn;
}
template <class F>
[[nodiscard]] F traced(const std::string&, F fn) {
  return fn;
}

#endif

}  // namespace ALPHASWARM_OTEL_NAMESPACE
}  // namespace alphaswarm::observability
