#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

#include "alphaswarm/net/coroutine.hpp"
#include "alphaswarm/net/detail/wait.hpp"

namespace alphaswarm::net {

// A bounded queue between tasks and threads: any number push, any number pop. It MUST outlive the
// tasks that wait on it.
template <class T>
class Channel {
 public:
  explicit Channel(std::size_t capacity) : capacity_(capacity) {}
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  // False, and the value is untouched, if the channel is full or closed. From any thread.
  [[nodiscard]] bool try_push(T&& value) {
    const std::lock_guard lock(mutex_);
    if (closed_ || items_.size() >= capacity_) return false;
    items_.push_back(std::move(value));
    poppers_.wake_one();
    return true;
  }
  [[nodiscard]] bool try_push(const T& value) {
    T copy = value;
    return try_push(std::move(copy));
  }
  // Makes room by dropping the oldest item when full; returns how many were dropped (0 or 1), or
  // nullopt if closed.
  std::optional<std::size_t> push_dropping_oldest(T value) {
    const std::lock_guard lock(mutex_);
    if (closed_) return std::nullopt;
    std::size_t dropped = 0;
    if (items_.size() >= capacity_ && !items_.empty()) {
      items_.pop_front();
      dropped = 1;
    }
    items_.push_back(std::move(value));
    poppers_.wake_one();
    return dropped;
  }
  // Waits for room. False if the channel is closed or the task is asked to stop.
  task<bool> push(T value) {
    for (;;) {
      {
        const std::lock_guard lock(mutex_);
        if (closed_) co_return false;
        if (items_.size() < capacity_) {
          items_.push_back(std::move(value));
          poppers_.wake_one();
          co_return true;
        }
      }
      const auto room = [this] { return closed_ || items_.size() < capacity_; };
      const auto outcome = co_await detail::Wait(mutex_, pushers_, detail::kNoDeadline, room);
      if (outcome != detail::WaitOutcome::woken) co_return false;
    }
  }

  [[nodiscard]] std::optional<T> try_pop() {
    const std::lock_guard lock(mutex_);
    return take();
  }
  // The oldest item. nullopt when the channel is closed and empty, or the task is asked to stop
  // while nothing is there: an item is never lost to a stop.
  task<std::optional<T>> pop() { return pop_until(detail::kNoDeadline); }
  // The same with a limit; nullopt also when it passes.
  task<std::optional<T>> pop_for(std::chrono::nanoseconds limit) {
    return pop_until(std::chrono::steady_clock::now() + limit);
  }

  // No more pushes; what is in it can still be popped.
  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    poppers_.wake_all();
    pushers_.wake_all();
  }
  [[nodiscard]] bool closed() const {
    const std::lock_guard lock(mutex_);
    return closed_;
  }
  [[nodiscard]] std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return items_.size();
  }

 private:
  task<std::optional<T>> pop_until(detail::Deadline deadline) {
    for (;;) {
      {
        const std::lock_guard lock(mutex_);
        std::optional<T> item = take();
        if (item || closed_) co_return item;
      }
      const auto ready = [this] { return closed_ || !items_.empty(); };
      const auto outcome = co_await detail::Wait(mutex_, poppers_, deadline, ready);
      if (outcome != detail::WaitOutcome::woken) co_return std::nullopt;
    }
  }
  std::optional<T> take() {
    if (items_.empty()) return std::nullopt;
    std::optional<T> item(std::move(items_.front()));
    items_.pop_front();
    pushers_.wake_one();
    return item;
  }

  const std::size_t capacity_;
  mutable std::mutex mutex_;
  std::deque<T> items_;  // guarded by mutex_, like all below
  bool closed_ = false;
  detail::WaitQueue poppers_;
  detail::WaitQueue pushers_;
};

}  // namespace alphaswarm::net
