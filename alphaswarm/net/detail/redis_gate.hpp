#pragma once

// Who may try to connect, and when: nobody hammers a server that is away.

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>

#include "alphaswarm/net/detail/redis_connection.hpp"
#include "alphaswarm/net/detail/wait.hpp"
#include "alphaswarm/net/redis.hpp"

namespace alphaswarm::net::detail {

// Opens connections. While the last attempt has failed, one task at a time tries again, each time
// after a longer pause, and all others share its result. Thread-safe.
class RedisGate {
 public:
  RedisGate(Runtime& runtime, const RedisConfig& config) : runtime_(runtime), config_(config) {}

  // One attempt, at once if the server was not known to be away.
  task<Result<std::unique_ptr<RedisConnection>>> open(Deadline deadline);

 private:
  // Whether this task makes the next attempt; false: another has made it, or the server is back.
  task<Result<bool>> wait_for_turn(Deadline deadline);
  task<Result<std::unique_ptr<RedisConnection>>> attempt(Deadline deadline);
  void attempt_succeeded();
  void attempt_failed(const Error& error);
  void attempt_abandoned();
  Result<std::shared_ptr<TlsContext>> tls();

  Runtime& runtime_;
  const RedisConfig& config_;
  std::mutex mutex_;
  WaitQueue waiting_;
  std::shared_ptr<TlsContext> tls_;  // guarded by mutex_, like all below; made at first use
  unsigned failures_ = 0;            // in a row
  std::uint64_t attempts_ended_ = 0;
  bool trying_ = false;  // a task tries again
  Deadline next_attempt_{};
  std::optional<Error> last_error_;
};

}  // namespace alphaswarm::net::detail
