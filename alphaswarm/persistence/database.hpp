#pragma once

// The relational store: SQLite or PostgreSQL, chosen by the URL. The texts keep to what both
// understand.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "alphaswarm/base/error.hpp"
#include "alphaswarm/persistence/observer.hpp"
#include "alphaswarm/persistence/value.hpp"

namespace alphaswarm::persistence {

namespace detail {
class Connection;
class Pool;
}  // namespace detail

// Fills `params` with the values of row `index` of a batch.
using BindRow = std::function<void(std::size_t index, std::span<Param> params)>;
// Told after row `index` of a batch how many rows of the table it changed.
using RowChanged = std::function<void(std::size_t index, std::int64_t changed)>;
using ReadRow = std::function<void(const Row&)>;

class Database;

// Runs statements: a Database (each statement its own transaction) or a Transaction.
//
// Placeholders are $1, $2, … and MUST first appear in that order. Calls block, but never for ever:
// for a free connection or SQLite's one writer at most the busy timeout (then
// ErrorCode::unavailable), in PostgreSQL for an answer at most the statement timeout (then
// deadline_exceeded). Errors are one sentence with the SQLSTATE at its end: already_exists and
// invalid_argument for broken constraints, conflict where a concurrent transaction won,
// unavailable for a lock or a server that is away, unauthenticated, resource_exhausted for a full
// disk, permission_denied for a read-only database, data_loss for a corrupt one.
class SqlExecutor {
 public:
  virtual ~SqlExecutor() = default;

  // Runs a statement that gives no rows; how many rows it changed.
  [[nodiscard]] virtual Result<std::int64_t> execute(std::string_view sql,
                                                     std::span<const Param> params) = 0;
  // Calls `each` for each row, in order. `each` MUST NOT use the same executor. On a Database the
  // statement MUST only read.
  [[nodiscard]] virtual Result<void> query(std::string_view sql, std::span<const Param> params,
                                           const ReadRow& each) = 0;
  // Runs a statement for `count` rows of `width` parameters, all or nothing, reported to the
  // observer as one. `changed` may be empty. Gives the number of rows changed in all.
  [[nodiscard]] virtual Result<std::int64_t> execute_each(std::string_view sql, std::size_t count,
                                                          std::size_t width, const BindRow& bind,
                                                          const RowChanged& changed) = 0;

  // Appends `count` rows to `table` by the database's fastest way (PostgreSQL: COPY), all or
  // nothing, reported as one statement. `columns` MUST be BIGINT, TEXT or DOUBLE PRECISION and
  // get values of that kind. Gives the number of rows.
  [[nodiscard]] virtual Result<std::int64_t> append(std::string_view table,
                                                    std::span<const std::string_view> columns,
                                                    std::size_t count, const BindRow& bind) = 0;
  [[nodiscard]] virtual std::string_view system() const noexcept = 0;  // "sqlite", "postgresql"

  // Itself if statements run here are each a transaction of their own; null inside a transaction.
  [[nodiscard]] virtual Database* as_database() noexcept { return nullptr; }

  [[nodiscard]] Result<std::int64_t> execute(std::string_view sql,
                                             std::initializer_list<Param> params = {}) {
    return execute(sql, std::span<const Param>(params.begin(), params.size()));
  }
  [[nodiscard]] Result<void> query(std::string_view sql, std::initializer_list<Param> params,
                                   const ReadRow& each) {
    return query(sql, std::span<const Param>(params.begin(), params.size()), each);
  }

 protected:
  SqlExecutor() = default;
  SqlExecutor(const SqlExecutor&) = default;
  SqlExecutor& operator=(const SqlExecutor&) = default;
};

// Several statements that happen together or not at all. Holds SQLite's one writer, or one of
// PostgreSQL's connections, from begin() until commit(), rollback() or destruction (which rolls
// back), so keep it short and never await in between. Used by one thread at a time; the thread may
// change. MUST NOT outlive its Database.
//
// A failed statement MAY have ended the transaction (always in PostgreSQL, in SQLite on a full disk
// or corruption): then all later calls fail. A failed batch or append leaves it as it was.
class Transaction final : public SqlExecutor {
 public:
  Transaction(Transaction&& other) noexcept;
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction() override;

  using SqlExecutor::execute;
  using SqlExecutor::query;
  [[nodiscard]] Result<std::int64_t> execute(std::string_view sql,
                                             std::span<const Param> params) override;
  [[nodiscard]] Result<void> query(std::string_view sql, std::span<const Param> params,
                                   const ReadRow& each) override;
  [[nodiscard]] Result<std::int64_t> execute_each(std::string_view sql, std::size_t count,
                                                  std::size_t width, const BindRow& bind,
                                                  const RowChanged& changed) override;
  [[nodiscard]] Result<std::int64_t> append(std::string_view table,
                                            std::span<const std::string_view> columns,
                                            std::size_t count, const BindRow& bind) override;
  [[nodiscard]] std::string_view system() const noexcept override;

  // After either, every other call fails. A failed commit has changed nothing, unless the
  // connection was lost while it ran (SQLSTATE 08007): then nobody knows.
  [[nodiscard]] Result<void> commit();
  void rollback() noexcept;

 private:
  friend class Database;
  Transaction(detail::Pool* pool, detail::Connection* connection) noexcept;
  [[nodiscard]] Result<void> usable() const;
  // Runs a batch so that its failure leaves the transaction as it was.
  template <class Batch>
  [[nodiscard]] Result<std::int64_t> in_savepoint(Batch&& batch);
  void release() noexcept;

  detail::Pool* pool_;
  detail::Connection* connection_;  // null once finished
};

struct DatabaseOptions {
  SqlObserver* observer = nullptr;  // must outlive the database
  // Wait for the writer or a free connection, for a lock, for a server to come back.
  std::chrono::milliseconds busy_timeout{5000};
  std::size_t max_readers = 4;  // SQLite: connections opened as needed and kept
  // PostgreSQL only.
  std::size_t max_connections = 8;  // opened as needed and kept
  std::chrono::milliseconds connect_timeout{5000};
  std::chrono::milliseconds statement_timeout{30'000};
};

// Safe from any thread. SQLite: one connection writes, others read beside it (write-ahead log).
// PostgreSQL: a pool of equal connections; one that is lost is replaced. A statement or transaction
// that a lost connection, a deadlock or a serialization failure has certainly undone is tried
// again, with growing pauses, for at most the busy timeout.
class Database final : public SqlExecutor {
 public:
  // `url`: "sqlite:///relative/file.db", "sqlite:////absolute/file.db", "sqlite://:memory:", or a
  // plain path. The file is made if missing, its folder is not. Or libpq's form
  // "postgresql://user:password@host:port/database?sslmode=verify-full&sslrootcert=…".
  [[nodiscard]] static Result<std::shared_ptr<Database>> open(std::string_view url,
                                                              SqlObserver* observer = nullptr);
  [[nodiscard]] static Result<std::shared_ptr<Database>> open(std::string_view url,
                                                              const DatabaseOptions& options);
  ~Database() override;

  [[nodiscard]] Result<Transaction> begin();

  using SqlExecutor::execute;
  using SqlExecutor::query;
  [[nodiscard]] Result<std::int64_t> execute(std::string_view sql,
                                             std::span<const Param> params) override;
  [[nodiscard]] Result<void> query(std::string_view sql, std::span<const Param> params,
                                   const ReadRow& each) override;
  [[nodiscard]] Result<std::int64_t> execute_each(std::string_view sql, std::size_t count,
                                                  std::size_t width, const BindRow& bind,
                                                  const RowChanged& changed) override;
  [[nodiscard]] Result<std::int64_t> append(std::string_view table,
                                            std::span<const std::string_view> columns,
                                            std::size_t count, const BindRow& bind) override;
  [[nodiscard]] std::string_view system() const noexcept override;

  [[nodiscard]] Database* as_database() noexcept override { return this; }

  // Answers a trivial query, tried once; for health checks.
  [[nodiscard]] Result<void> ping();
  [[nodiscard]] std::string_view name() const noexcept;  // e.g. "alphaswarm.db"

 private:
  friend Result<void> migrate(Database&);
  friend class Attempts;
  explicit Database(std::unique_ptr<detail::Pool> pool) noexcept;
  [[nodiscard]] Result<void> query_once(std::string_view sql, std::span<const Param> params,
                                        const ReadRow& each);
  std::unique_ptr<detail::Pool> pool_;
};

// The five characters at the end of a database error's message; empty if there are none.
[[nodiscard]] std::string_view sqlstate_of(const Error& error) noexcept;

// What running a statement or transaction a second time does.
enum class Effects : std::uint8_t {
  once,        // something else: it is repeated only if the first time is certainly undone
  idempotent,  // nothing more: it is repeated also where nobody knows (SQLSTATE 08007)
};

// Decides whether to try again, and pauses before.
class Attempts {
 public:
  Attempts(const Database& database, Effects effects) noexcept;
  // True after a pause if `error` is of a kind that passes and there is time left.
  [[nodiscard]] bool again(const Error& error);

 private:
  std::int64_t deadline_ns_;
  Effects effects_;
  int made_ = 0;
};

// Runs `attempt()`, which gives a Result and uses `executor`, again where that may help. Inside a
// transaction it runs once: only the whole transaction can be tried again.
template <class Attempt>
[[nodiscard]] auto repeated(SqlExecutor& executor, Effects effects, Attempt&& attempt)
    -> decltype(attempt()) {
  const Database* database = executor.as_database();
  if (database == nullptr) return attempt();
  Attempts attempts(*database, effects);
  for (;;) {
    auto result = attempt();
    if (result || !attempts.again(result.error())) return result;
  }
}

// Runs `body(SqlExecutor&)`, which gives a Result, in the executor's transaction, or in a new one
// that is committed if the body succeeds. `body` MAY run several times, see Effects: it MUST start
// from nothing each time.
template <class Body>
[[nodiscard]] auto in_transaction(SqlExecutor& executor, Body&& body,
                                  Effects effects = Effects::once) -> decltype(body(executor)) {
  Database* database = executor.as_database();
  if (database == nullptr) return body(executor);
  return repeated(executor, effects, [&]() -> decltype(body(executor)) {
    auto transaction = database->begin();
    if (!transaction) return std::unexpected(transaction.error());
    auto result = body(*transaction);
    if (!result) return result;
    if (auto committed = transaction->commit(); !committed) {
      return std::unexpected(committed.error());
    }
    return result;
  });
}

// Brings the schema to this program's version, each step in a transaction of its own, so that two
// processes may try at once. An already current schema costs one query. A schema newer than this
// program, or a changed old step, is an error. Steps are not reported to the observer: they would
// be dozens of one-span traces at every first start. Defined in migrations.cpp.
[[nodiscard]] Result<void> migrate(Database& database);

}  // namespace alphaswarm::persistence
