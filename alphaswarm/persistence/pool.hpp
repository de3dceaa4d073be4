#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "alphaswarm/persistence/sqlite_connection.hpp"

namespace alphaswarm::persistence::detail {

// The connections of one database: a writer that is lent to one user at a time, and readers made
// as needed. A database in memory has only the writer, since another connection would see another
// database. Thread-safe.
class Pool {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Pool>> open(std::string path,
                                                          const DatabaseOptions& options);

  // Waits at most the busy timeout. Whoever comes first when it is free gets it, which is fastest;
  // but one who has waited for a while is next, so that a loop of writes cannot starve it.
  [[nodiscard]] Result<SqliteConnection*> take_writer();
  void give_writer() noexcept;
  [[nodiscard]] Result<SqliteConnection*> take_reader();
  void give_reader(SqliteConnection* reader) noexcept;

  [[nodiscard]] const std::string& name() const noexcept { return name_; }

 private:
  Pool(std::string path, const DatabaseOptions& options);
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
  std::vector<SqliteConnection*> idle_readers_;
  std::size_t opening_readers_ = 0;
};

}  // namespace alphaswarm::persistence::detail
