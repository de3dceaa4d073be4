#pragma once

// The relational store. SQLite now; the texts keep to what PostgreSQL understands as well.

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
class Pool;
class SqliteConnection;
}  // namespace detail

// Fills `params` with the values of row `index` of a batch.
using BindRow = std::function<void(std::size_t index, std::span<Param> params)>;
// Told after row `index` of a batch how many rows of the table it changed.
using RowChanged = std::function<void(std::size_t index, std::int64_t changed)>;
using ReadRow = std::function<void(const Row&)>;

class Database;

// Runs statements: a Database (each statement its own transaction) or a Transaction.
//
// Placeholders are $1, $2, … and MUST first appear in that order. Calls block: a read for as long
// as it takes, a write also until it gets the one writer (at most the busy timeout, then
// ErrorCode::unavailable). Errors are one sentence with the SQLSTATE at its end: already_exists
// and invalid_argument for broken constraints, unavailable for a lock, resource_exhausted for a
// full disk, permission_denied for a read-only file, data_loss for a corrupt one.
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

// Several statements that happen together or not at all. Holds the one writer from begin() until
// commit(), rollback() or destruction (which rolls back), so keep it short and never await in
// between. Used by one thread at a time; the thread may change. MUST NOT outlive its Database.
//
// After a failed statement the rest MAY still be committed, as in SQLite, unless the database
// had to roll everything back itself (full disk, corruption): then all later calls fail.
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

  // After either, every other call fails. A failed commit has changed nothing.
  [[nodiscard]] Result<void> commit();
  void rollback() noexcept;

 private:
  friend class Database;
  Transaction(detail::Pool* pool, detail::SqliteConnection* writer) noexcept;
  [[nodiscard]] Result<void> usable() const;
  void release() noexcept;

  detail::Pool* pool_;
  detail::SqliteConnection* writer_;  // null once finished
};

struct DatabaseOptions {
  SqlObserver* observer = nullptr;  // must outlive the database
  std::chrono::milliseconds busy_timeout{5000};
  std::size_t max_readers = 4;  // connections opened as needed and kept
};

// Safe from any thread: one connection writes, others read beside it (write-ahead log).
class Database final : public SqlExecutor {
 public:
  // `url`: "sqlite:///relative/file.db", "sqlite:////absolute/file.db", "sqlite://:memory:", or a
  // plain path. The file is made if missing, its folder is not.
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

  [[nodiscard]] Database* as_database() noexcept override { return this; }

  // Answers a trivial query; for health checks.
  [[nodiscard]] Result<void> ping();
  [[nodiscard]] std::string_view system() const noexcept;  // "sqlite"
  [[nodiscard]] std::string_view name() const noexcept;    // e.g. "alphaswarm.db"

 private:
  friend Result<void> migrate(Database&);
  explicit Database(std::unique_ptr<detail::Pool> pool) noexcept;
  std::unique_ptr<detail::Pool> pool_;
};

// Runs `body(SqlExecutor&)`, which gives a Result, in the executor's transaction, or in a new one
// that is committed if the body succeeds.
template <class Body>
[[nodiscard]] auto in_transaction(SqlExecutor& executor, Body&& body) -> decltype(body(executor)) {
  Database* database = executor.as_database();
  if (database == nullptr) return body(executor);
  auto transaction = database->begin();
  if (!transaction) return std::unexpected(transaction.error());
  auto result = body(*transaction);
  if (!result) return result;
  if (auto committed = transaction->commit(); !committed) {
    return std::unexpected(committed.error());
  }
  return result;
}

// Brings the schema to this program's version, each step in a transaction of its own, so that two
// processes may try at once. An already current schema costs one query. A schema newer than this
// program, or a changed old step, is an error. Steps are not reported to the observer: they would
// be dozens of one-span traces at every first start. Defined in migrations.cpp.
[[nodiscard]] Result<void> migrate(Database& database);

}  // namespace alphaswarm::persistence
