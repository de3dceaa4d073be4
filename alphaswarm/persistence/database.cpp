#include "alphaswarm/persistence/database.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "alphaswarm/base/random.hpp"
#include "alphaswarm/persistence/postgres_pool.hpp"
#include "alphaswarm/persistence/sqlite_pool.hpp"

namespace alphaswarm::persistence {

using detail::Access;
using detail::TransactionState;

namespace {

std::unexpected<Error> finished_transaction() {
  return fail(ErrorCode::internal, "this transaction has already ended (SQLSTATE 25P01)");
}

// SQLAlchemy's forms, since people know them: three slashes and a relative path, four and an
// absolute one.
Result<std::string> path_of(std::string_view url) {
  if (url == "sqlite://" || url == "sqlite://:memory:" || url == "sqlite::memory:" ||
      url == "sqlite:///:memory:") {
    return std::string(":memory:");
  }
  for (const std::string_view prefix : {"sqlite:///", "sqlite:"}) {
    if (url.starts_with(prefix) && url.size() > prefix.size() &&
        !url.substr(prefix.size()).starts_with("//")) {
      return std::string(url.substr(prefix.size()));
    }
  }
  if (url.empty() || url.find("://") != std::string_view::npos || url.starts_with("sqlite:")) {
    // Not the URL itself: it may hold a password.
    return fail(ErrorCode::invalid_argument,
                fmt::format("the database URL (scheme '{}') is not understood; use "
                            "sqlite:///relative/file.db, sqlite:////absolute/file.db or "
                            "postgresql://user:password@host/database",
                            url.substr(0, url.find(':'))));
  }
  return std::string(url);
}

bool is_postgres(std::string_view url) {
  return url.starts_with("postgresql://") || url.starts_with("postgres://");
}

}  // namespace

Transaction::Transaction(detail::Pool* pool, detail::Connection* connection) noexcept
    : pool_(pool), connection_(connection) {}

Transaction::Transaction(Transaction&& other) noexcept
    : SqlExecutor(other),
      pool_(other.pool_),
      connection_(std::exchange(other.connection_, nullptr)) {}

Transaction::~Transaction() { rollback(); }

std::string_view Transaction::system() const noexcept { return pool_->system(); }

Result<void> Transaction::usable() const {
  if (connection_ == nullptr) return finished_transaction();
  if (connection_->state() != TransactionState::open) {
    return fail(ErrorCode::internal,
                "the database has rolled this transaction back after an earlier error "
                "(SQLSTATE 25P02)");
  }
  return {};
}

Result<std::int64_t> Transaction::execute(std::string_view sql, std::span<const Param> params) {
  if (const auto ok = usable(); !ok) return std::unexpected(ok.error());
  return connection_->execute(sql, params);
}

Result<void> Transaction::query(std::string_view sql, std::span<const Param> params,
                                const ReadRow& each) {
  if (const auto ok = usable(); !ok) return std::unexpected(ok.error());
  return connection_->query(sql, params, each);
}

template <class Batch>
Result<std::int64_t> Transaction::in_savepoint(Batch&& batch) {
  if (const auto ok = usable(); !ok) return std::unexpected(ok.error());
  if (const auto begun = connection_->execute_silently("SAVEPOINT batch"); !begun) return begun;
  const Result<std::int64_t> done = batch();
  if (!done && connection_->state() != TransactionState::none) {
    (void)connection_->execute_silently("ROLLBACK TO batch");
  }
  if (connection_->state() == TransactionState::open) {
    const auto ended = connection_->execute_silently("RELEASE batch");
    if (!ended && done) return ended;
  }
  return done;
}

Result<std::int64_t> Transaction::execute_each(std::string_view sql, std::size_t count,
                                               std::size_t width, const BindRow& bind,
                                               const RowChanged& changed) {
  return in_savepoint([&] { return connection_->execute_each(sql, count, width, bind, changed); });
}

Result<std::int64_t> Transaction::append(std::string_view table,
                                         std::span<const std::string_view> columns,
                                         std::size_t count, const BindRow& bind) {
  return in_savepoint([&] { return connection_->append(table, columns, count, bind); });
}

Result<void> Transaction::commit() {
  if (const auto ok = usable(); !ok) {
    rollback();
    return ok;
  }
  const auto committed = connection_->execute("COMMIT", {});
  if (!committed) {
    rollback();
    return std::unexpected(committed.error());
  }
  release();
  return {};
}

void Transaction::rollback() noexcept {
  if (connection_ == nullptr) return;
  if (connection_->state() != TransactionState::none) (void)connection_->execute("ROLLBACK", {});
  release();
}

void Transaction::release() noexcept {
  if (connection_ != nullptr) pool_->give(std::exchange(connection_, nullptr));
}

Result<std::shared_ptr<Database>> Database::open(std::string_view url, SqlObserver* observer) {
  DatabaseOptions options;
  options.observer = observer;
  return open(url, options);
}

Result<std::shared_ptr<Database>> Database::open(std::string_view url,
                                                 const DatabaseOptions& options) {
  if (is_postgres(url)) {
    auto pool = detail::PostgresPool::open(url, options);
    if (!pool) return std::unexpected(pool.error());
    return std::shared_ptr<Database>(new Database(std::move(*pool)));
  }
  auto path = path_of(url);
  if (!path) return std::unexpected(path.error());
  auto pool = detail::SqlitePool::open(std::move(*path), options);
  if (!pool) return std::unexpected(pool.error());
  return std::shared_ptr<Database>(new Database(std::move(*pool)));
}

Database::Database(std::unique_ptr<detail::Pool> pool) noexcept : pool_(std::move(pool)) {}
Database::~Database() = default;

std::string_view Database::system() const noexcept { return pool_->system(); }
std::string_view Database::name() const noexcept { return pool_->name(); }

Result<Transaction> Database::begin() {
  const auto connection = pool_->take(Access::write);
  if (!connection) return std::unexpected(connection.error());
  if (const auto begun = (*connection)->begin(); !begun) {
    pool_->give(*connection);
    return std::unexpected(begun.error());
  }
  return Transaction(pool_.get(), *connection);
}

Result<std::int64_t> Database::execute(std::string_view sql, std::span<const Param> params) {
  return repeated(*this, Effects::once, [&]() -> Result<std::int64_t> {
    const auto connection = pool_->take(Access::write);
    if (!connection) return std::unexpected(connection.error());
    const detail::Lease lease(*pool_, *connection);
    return (*connection)->execute(sql, params);
  });
}

// The callback gets rows only once all of them are here, or from SQLite, which is never lost: so
// none is given twice.
Result<void> Database::query(std::string_view sql, std::span<const Param> params,
                             const ReadRow& each) {
  return repeated(*this, Effects::idempotent, [&] { return query_once(sql, params, each); });
}

Result<void> Database::query_once(std::string_view sql, std::span<const Param> params,
                                  const ReadRow& each) {
  const auto connection = pool_->take(Access::read);
  if (!connection) return std::unexpected(connection.error());
  const detail::Lease lease(*pool_, *connection);
  return (*connection)->query(sql, params, each);
}

Result<std::int64_t> Database::execute_each(std::string_view sql, std::size_t count,
                                            std::size_t width, const BindRow& bind,
                                            const RowChanged& changed) {
  return in_transaction(*this, [&](SqlExecutor& transaction) {
    return transaction.execute_each(sql, count, width, bind, changed);
  });
}

Result<std::int64_t> Database::append(std::string_view table,
                                      std::span<const std::string_view> columns, std::size_t count,
                                      const BindRow& bind) {
  return in_transaction(*this, [&](SqlExecutor& transaction) {
    return transaction.append(table, columns, count, bind);
  });
}

Result<void> Database::ping() {
  return query_once("SELECT 1", {}, [](const Row&) {});
}

std::string_view sqlstate_of(const Error& error) noexcept {
  constexpr std::string_view kMark = "(SQLSTATE ";
  const std::string_view message = error.message;
  const std::size_t at = message.rfind(kMark);
  if (at == std::string_view::npos || at + kMark.size() + 6 != message.size()) return {};
  return message.substr(at + kMark.size(), 5);
}

Attempts::Attempts(const Database& database, Effects effects) noexcept
    : deadline_ns_(monotonic_ns() +
                   std::chrono::nanoseconds(database.pool_->busy_timeout()).count()),
      effects_(effects) {}

bool Attempts::again(const Error& error) {
  if (!error.retryable) return false;
  const std::string_view state = sqlstate_of(error);
  const bool unknown = state == "08007";
  const bool passes = state == "40001" || state == "40P01" || state == "53300" ||
                      state.starts_with("57P0") || (state.starts_with("08") && !unknown);
  if (!passes && !(unknown && effects_ == Effects::idempotent)) return false;
  // Doubling, with a random part so that two who met do not meet again.
  const std::int64_t longest_ns = 2'000'000LL << std::min(made_++, 7);
  const auto pause_ns = static_cast<std::int64_t>(
      longest_ns / 2 +
      static_cast<std::int64_t>(thread_random().below(static_cast<std::uint64_t>(longest_ns))));
  if (monotonic_ns() + pause_ns >= deadline_ns_) return false;
  std::this_thread::sleep_for(std::chrono::nanoseconds(pause_ns));
  return true;
}

}  // namespace alphaswarm::persistence
