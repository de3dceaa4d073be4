#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "alphaswarm/persistence/pool.hpp"
#include "alphaswarm/persistence/postgres_connection.hpp"

namespace alphaswarm::persistence::detail {

// Equal connections, opened as needed up to a limit. One that does not stand any more is replaced
// when it is taken or given back; after a loss the other idle ones are looked at when their turn
// comes. Thread-safe.
class PostgresPool final : public Pool {
 public:
  // Opens one connection, so that a wrong URL is an error here.
  [[nodiscard]] static Result<std::unique_ptr<Pool>> open(std::string_view url,
                                                          const DatabaseOptions& options);

  [[nodiscard]] Result<Connection*> take(Access access) override;
  void give(Connection* connection) noexcept override;

  [[nodiscard]] const std::string& name() const noexcept override { return target_.database; }
  [[nodiscard]] std::string_view system() const noexcept override { return "postgresql"; }
  [[nodiscard]] std::chrono::milliseconds busy_timeout() const noexcept override {
    return options_.busy_timeout;
  }

 private:
  PostgresPool(PostgresTarget target, const DatabaseOptions& options)
      : target_(std::move(target)), options_(options) {}

  const PostgresTarget target_;
  const DatabaseOptions options_;

  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::vector<std::unique_ptr<PostgresConnection>> idle_;  // the last used is taken first
  std::vector<std::unique_ptr<PostgresConnection>> lent_;
  std::size_t opening_ = 0;
};

}  // namespace alphaswarm::persistence::detail
