#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "alphaswarm/persistence/pool.hpp"
#include "alphaswarm/persistence/sqlite_connection.hpp"

namespace alphaswarm::persistence::detail {

// The connections of one SQLite file: a writer that is lent to one user at a time, and readers made
// as needed. A database in memory has only the writer, since another connection would see another
// database. Thread-safe.
class SqlitePool final : public Pool {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Pool>> open(std::string path,
                                                          const DatabaseOptions& options);

  // Whoever comes first when the writer is free gets it, which is fastest; but one who has waited
  // for a while is next, so that a loop of writes cannot starve it.
  [[nodiscard]] Result<Connection*> take(Access access) override;
  void give(Connection* connection) noexcept override;

  [[nodiscard]] const std::string& name() const noexcept override { return name_; }
  [[nodiscard]] std::string_view system() const noexcept override { return "sqlite"; }
  [[nodiscard]] std::chrono::milliseconds busy_timeout() const noexcept override {
    return options_.busy_timeout;
  }

 private:
  SqlitePool(std::string path, const DatabaseOptions& options);
  [[nodiscard]] Result<Connection*> take_writer();
  [[nodiscard]] Result<Connection*> take_reader();
  [[nodiscard]] ConnectionOptions connection_options(bool read_only) const;
  [[nodiscard]] bool may_write(std::uint64_t ticket) const;  // under the mutex
  [[nodiscard]] std::unexpected<Error> timed_out(std::string_view what) const;

  const std::string path_;
  const std::string name_;
  const DatabaseOptions options_;

  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  bool writer_taken_ = false;
  struct Waiting {
    std::uint64_t ticket;
    std::int64_t since_ns;
  };
  std::uint64_t next_ticket_ = 0;
  std::deque<Waiting> waiting_writers_;  // oldest first
  std::unique_ptr<SqliteConnection> writer_;
  std::vector<std::unique_ptr<SqliteConnection>> readers_;
  std::vector<Connection*> idle_readers_;
  std::size_t opening_readers_ = 0;
};

}  // namespace alphaswarm::persistence::detail
