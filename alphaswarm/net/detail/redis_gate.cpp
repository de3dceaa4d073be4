#include "alphaswarm/net/detail/redis_gate.hpp"

#include <algorithm>

#include "alphaswarm/base/counters.hpp"
#include "alphaswarm/base/log.hpp"
#include "alphaswarm/base/random.hpp"

namespace alphaswarm::net::detail {
namespace {

Counter& connections_opened() {
  static Counter& instance =
      counter("alphaswarm_redis_connections_total", "", "Connections opened to Redis.");
  return instance;
}

Counter& connections_failed() {
  static Counter& instance = counter("alphaswarm_redis_connection_failures_total", "",
                                     "Attempts to connect to Redis that failed.");
  return instance;
}

}  // namespace

Result<std::shared_ptr<TlsContext>> RedisGate::tls() {
  const std::lock_guard lock(mutex_);
  if (config_.use_tls && tls_ == nullptr) {
    auto made = TlsContext::make(config_.tls);
    if (!made) return made;
    tls_ = std::move(*made);
  }
  return tls_;
}

task<Result<bool>> RedisGate::wait_for_turn(Deadline deadline) {
  std::uint64_t seen = 0;
  {
    const std::lock_guard lock(mutex_);
    seen = attempts_ended_;
  }
  bool mine = false;
  for (;;) {
    Deadline until = deadline;
    {
      const std::lock_guard lock(mutex_);
      if (!trying_) until = std::min(until, next_attempt_);
    }
    const auto ready = [&] {
      if (failures_ == 0 || attempts_ended_ != seen) return true;
      if (trying_ || std::chrono::steady_clock::now() < next_attempt_) return false;
      return trying_ = mine = true;
    };
    const auto outcome = co_await Wait(mutex_, waiting_, until, ready);
    if (outcome == WaitOutcome::cancelled) {
      co_return fail(ErrorCode::cancelled, "the task was asked to stop");
    }
    if (mine) co_return true;
    const std::lock_guard lock(mutex_);
    if (failures_ == 0) co_return false;
    if (attempts_ended_ != seen) co_return std::unexpected(*last_error_);
    if (std::chrono::steady_clock::now() >= deadline) co_return std::unexpected(*last_error_);
  }
}

void RedisGate::attempt_succeeded() {
  connections_opened().add();
  const std::lock_guard lock(mutex_);
  if (failures_ > 0) log_info("redis", config_.host + " answers again");
  failures_ = 0;
  trying_ = false;
  ++attempts_ended_;
  waiting_.wake_all();
}

void RedisGate::attempt_failed(const Error& error) {
  connections_failed().add();
  const std::lock_guard lock(mutex_);
  if (failures_ == 0) log_warning("redis", error.message);
  const auto longest = config_.backoff_first * (1U << std::min(failures_, 16U));
  const auto pause = std::min<std::chrono::nanoseconds>(longest, config_.backoff_max);
  const double share = 0.5 + thread_random().uniform() / 2;
  next_attempt_ = std::chrono::steady_clock::now() +
                  std::chrono::nanoseconds(
                      static_cast<std::int64_t>(static_cast<double>(pause.count()) * share));
  ++failures_;
  trying_ = false;
  ++attempts_ended_;
  last_error_ = error;
  waiting_.wake_all();
}

// The task that tried was asked to stop: another takes its turn.
void RedisGate::attempt_abandoned() {
  const std::lock_guard lock(mutex_);
  trying_ = false;
  waiting_.wake_all();
}

task<Result<std::unique_ptr<RedisConnection>>> RedisGate::attempt(Deadline deadline) {
  const Deadline limit =
      std::min(deadline, std::chrono::steady_clock::now() + config_.connect_timeout);
  auto context = tls();
  if (!context) co_return std::unexpected(std::move(context.error()));
  co_return co_await RedisConnection::open(runtime_, config_, std::move(*context), limit);
}

task<Result<std::unique_ptr<RedisConnection>>> RedisGate::open(Deadline deadline) {
  bool away = false;
  {
    const std::lock_guard lock(mutex_);
    away = failures_ > 0;
  }
  bool mine = false;
  if (away) {
    const Result<bool> turn = co_await wait_for_turn(deadline);
    if (!turn) co_return std::unexpected(turn.error());
    mine = *turn;
  }
  auto connection = co_await attempt(deadline);
  if (connection) {
    attempt_succeeded();
  } else if (connection.error().code == ErrorCode::cancelled) {
    if (mine) attempt_abandoned();
  } else {
    connection.error().message = "Redis at " + config_.host + ":" + std::to_string(config_.port) +
                                 ": " + connection.error().message;
    attempt_failed(connection.error());
  }
  co_return connection;
}

}  // namespace alphaswarm::net::detail
