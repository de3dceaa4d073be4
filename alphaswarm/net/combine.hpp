#pragma once

// Running several tasks at once: all, race; and one elsewhere: on. Every child is a fork of its
// own, with a copy of the parent's slot and a stop token that follows the parent's.

#include <array>
#include <cstddef>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "alphaswarm/net/coroutine.hpp"
#include "alphaswarm/net/detail/fork.hpp"
#include "alphaswarm/net/runtime.hpp"

namespace alphaswarm::net {
namespace detail {

enum class OnFinish : bool { stop_others_on_error, stop_others };

template <class T>
Fork run_child(Group& group, std::size_t index, OnFinish mode, task<T> work,
               std::optional<Unit<T>>& out) {
  std::exception_ptr error;
  try {
    task<T> own = std::move(work);  // its frame ends before the parent hears of it
    if constexpr (std::is_void_v<T>) {
      co_await std::move(own);
      out.emplace();
    } else {
      out.emplace(co_await std::move(own));
    }
  } catch (...) {
    error = std::current_exception();
  }
  const bool stop_others = mode == OnFinish::stop_others || error != nullptr;
  group.finished(index, std::move(error), stop_others);
}

template <class... T, std::size_t... I>
task<std::tuple<Unit<T>...>> all_of(std::index_sequence<I...>, task<T>... work) {
  Group group;
  std::tuple<std::optional<Unit<T>>...> results;
  std::stop_callback follow(this_task_stop_token(), PassStopOn{group.stop()});
  std::array<Fork, sizeof...(T)> children = {run_child(group, I, OnFinish::stop_others_on_error,
                                                       std::move(work), std::get<I>(results))...};
  co_await group.run(*Runtime::current(), children);
  group.rethrow_first_error();
  co_return std::tuple<Unit<T>...>(std::move(*std::get<I>(results))...);
}

template <class... T, std::size_t... I>
task<std::variant<Unit<T>...>> race_of(std::index_sequence<I...>, task<T>... work) {
  using Out = std::variant<Unit<T>...>;
  Group group;
  std::tuple<std::optional<Unit<T>>...> results;
  std::stop_callback follow(this_task_stop_token(), PassStopOn{group.stop()});
  std::array<Fork, sizeof...(T)> children = {
      run_child(group, I, OnFinish::stop_others, std::move(work), std::get<I>(results))...};
  co_await group.run(*Runtime::current(), children);
  if (group.winner_error()) std::rethrow_exception(group.winner_error());
  std::optional<Out> out;
  ((group.winner() == I
        ? void(out.emplace(std::in_place_index<I>, std::move(*std::get<I>(results))))
        : void()),
   ...);
  co_return std::move(*out);
}

}  // namespace detail

// Waits for all. If one throws, the others are asked to stop and awaited, and the first exception
// goes on. A void task gives std::monostate.
template <class... T>
  requires(sizeof...(T) > 0)
task<std::tuple<detail::Unit<T>...>> all(task<T>... work) {
  return detail::all_of<T...>(std::index_sequence_for<T...>(), std::move(work)...);
}

template <class T>
task<std::vector<detail::Unit<T>>> all(std::vector<task<T>> work) {
  detail::Group group;
  std::vector<std::optional<detail::Unit<T>>> results(work.size());
  std::stop_callback follow(this_task_stop_token(), detail::PassStopOn{group.stop()});
  std::vector<detail::Fork> children;
  children.reserve(work.size());
  for (std::size_t i = 0; i < work.size(); ++i) {
    children.push_back(detail::run_child(group, i, detail::OnFinish::stop_others_on_error,
                                         std::move(work[i]), results[i]));
  }
  co_await group.run(*Runtime::current(), children);
  group.rethrow_first_error();
  std::vector<detail::Unit<T>> out;
  out.reserve(results.size());
  for (auto& result : results) out.push_back(std::move(*result));
  co_return out;
}

// The first to finish wins, with its value or its exception; the others are asked to stop and
// awaited, so that what they refer to may end with the caller. What a loser made in the same moment
// is dropped: do not race a call whose result must not be lost (see Channel::pop_for).
template <class... T>
  requires(sizeof...(T) > 0)
task<std::variant<detail::Unit<T>...>> race(task<T>... work) {
  return detail::race_of<T...>(std::index_sequence_for<T...>(), std::move(work)...);
}

// Runs `work` on `runtime`, in a fork of its own, and continues here. Throws std::runtime_error if
// that runtime has ended.
template <class T>
task<T> on(Runtime& runtime, task<T> work) {
  detail::Group group;
  std::optional<detail::Unit<T>> result;
  std::stop_callback follow(this_task_stop_token(), detail::PassStopOn{group.stop()});
  std::stop_callback follow_runtime(runtime.stop_token(), detail::PassStopOn{group.stop()});
  std::array<detail::Fork, 1> child = {
      detail::run_child(group, 0, detail::OnFinish::stop_others_on_error, std::move(work), result)};
  co_await group.run(runtime, child);
  group.rethrow_first_error();
  if constexpr (!std::is_void_v<T>) co_return std::move(*result);
}

// Runs `work` to its end even if this task is, or was, asked to stop: for the steps that end
// something in order (orders to cancel, a last row to write). Keep it short, or bound it by race
// and sleep_for inside: nothing else stops it.
template <class T>
task<T> shielded(task<T> work) {
  detail::Group group;
  std::optional<detail::Unit<T>> result;
  std::array<detail::Fork, 1> child = {
      detail::run_child(group, 0, detail::OnFinish::stop_others_on_error, std::move(work), result)};
  co_await group.run(*Runtime::current(), child);
  group.rethrow_first_error();
  if constexpr (!std::is_void_v<T>) co_return std::move(*result);
}

}  // namespace alphaswarm::net
