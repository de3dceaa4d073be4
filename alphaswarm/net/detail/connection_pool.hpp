#pragma once

// The connections of a client to one server: so many at most, the idle ones kept for a while.

#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "alphaswarm/base/error.hpp"
#include "alphaswarm/net/detail/wait.hpp"
#include "alphaswarm/net/task.hpp"

namespace alphaswarm::net::detail {

// `Connection` has `Deadline idle_since`, and `bool is_quiet()`, false once it is of no use.
// Thread-safe. MUST outlive its places.
template <class Connection>
class ConnectionPool {
 public:
  using Pointer = std::unique_ptr<Connection>;

  ConnectionPool(std::size_t most, std::chrono::milliseconds idle_timeout)
      : most_(most), idle_timeout_(idle_timeout) {}

  // Made after take_place(); gives the place back when it goes, also when an exception or the
  // abandonment of its task ends it.
  class Place {
   public:
    explicit Place(ConnectionPool& pool) noexcept : pool_(pool) {}
    ~Place() { pool_.give_back(std::move(to_keep)); }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    Pointer to_keep;  // back to the pool; null: the connection is gone

   private:
    ConnectionPool& pool_;
  };

  // cancelled, or deadline_exceeded when all places stay taken.
  task<Result<void>> take_place(Deadline deadline) {
    const auto take = [this] {
      if (busy_ >= most_) return false;
      ++busy_;
      return true;
    };
    {
      const std::lock_guard lock(mutex_);
      if (take()) co_return Result<void>();
    }
    const auto outcome = co_await Wait(mutex_, waiting_, deadline, take);
    switch (outcome) {
      case WaitOutcome::woken:  // the place was handed over, or taken
        co_return Result<void>();
      case WaitOutcome::cancelled:
        co_return fail(ErrorCode::cancelled, "the task was asked to stop");
      default:
        co_return fail(ErrorCode::deadline_exceeded, "no connection became free in time: all " +
                                                         std::to_string(most_) + " are busy");
    }
  }

  // The one used last, or null.
  [[nodiscard]] Pointer take_idle() {
    const Deadline oldest = std::chrono::steady_clock::now() - idle_timeout_;
    for (;;) {
      Pointer connection;  // closed, if it is no good, without the lock
      {
        const std::lock_guard lock(mutex_);
        if (idle_.empty()) return nullptr;
        connection = std::move(idle_.back());
        idle_.pop_back();
      }
      if (connection->idle_since >= oldest && connection->is_quiet()) return connection;
    }
  }

  void close_idle() {
    std::vector<Pointer> closing;
    const std::lock_guard lock(mutex_);
    closing.swap(idle_);
  }

 private:
  void give_back(Pointer connection) noexcept {
    const Deadline now = std::chrono::steady_clock::now();
    Pointer too_old;  // one a time is enough to keep up
    const std::lock_guard lock(mutex_);
    if (!idle_.empty() && idle_.front()->idle_since + idle_timeout_ < now) {
      too_old = std::move(idle_.front());
      idle_.erase(idle_.begin());
    }
    if (connection != nullptr) {
      connection->idle_since = now;
      idle_.push_back(std::move(connection));
    }
    if (!waiting_.wake_one()) --busy_;  // else the place goes to who waited
  }

  const std::size_t most_;
  const std::chrono::milliseconds idle_timeout_;
  std::mutex mutex_;
  std::size_t busy_ = 0;       // guarded by mutex_, like what follows
  std::vector<Pointer> idle_;  // most recently used last
  WaitQueue waiting_;
};

}  // namespace alphaswarm::net::detail
