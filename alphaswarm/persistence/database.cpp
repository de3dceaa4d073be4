#include "alphaswarm/persistence/database.hpp"

#include <fmt/format.h>

#include <utility>

#include "alphaswarm/persistence/pool.hpp"

namespace alphaswarm::persistence {
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
  if (url.starts_with("postgresql:") || url.starts_with("postgres:")) {
    return fail(ErrorCode::unimplemented,
                "PostgreSQL is not supported by this build; use sqlite:///path/to/file.db in "
                "ALPHASWARM_DATABASE_URL");
  }
  if (url.empty() || url.find("://") != std::string_view::npos || url.starts_with("sqlite:")) {
    // Not the URL itself: it may hold a password.
    return fail(ErrorCode::invalid_argument,
                fmt::format("the database URL (scheme '{}') is not understood; use "
                            "sqlite:///relative/file.db or sqlite:////absolute/file.db",
                            url.substr(0, url.find(':'))));
  }
  return std::string(url);
}

// Gives a connection back at the end of a scope.
class ReaderLease {
 public:
  ReaderLease(detail::Pool& pool, detail::SqliteConnection* reader)
      : pool_(pool), reader_(reader) {}
  ReaderLease(const ReaderLease&) = delete;
  ReaderLease& operator=(const ReaderLease&) = delete;
  ~ReaderLease() { pool_.give_reader(reader_); }

 private:
  detail::Pool& pool_;
  detail::SqliteConnection* reader_;
};

class WriterLease {
 public:
  explicit WriterLease(detail::Pool& pool) : pool_(pool) {}
  WriterLease(const WriterLease&) = delete;
  WriterLease& operator=(const WriterLease&) = delete;
  ~WriterLease() { pool_.give_writer(); }

 private:
  detail::Pool& pool_;
};

}  // namespace

Transaction::Transaction(detail::Pool* pool, detail::SqliteConnection* writer) noexcept
    : pool_(pool), writer_(writer) {}

Transaction::Transaction(Transaction&& other) noexcept
    : SqlExecutor(other), pool_(other.pool_), writer_(std::exchange(other.writer_, nullptr)) {}

Transaction::~Transaction() { rollback(); }

Result<void> Transaction::usable() const {
  if (writer_ == nullptr) return finished_transaction();
  if (!writer_->in_transaction()) {
    return fail(ErrorCode::internal,
                "the database has rolled this transaction back after an earlier error "
                "(SQLSTATE 25P02)");
  }
  return {};
}

Result<std::int64_t> Transaction::execute(std::string_view sql, std::span<const Param> params) {
  if (const auto ok = usable(); !ok) return std::unexpected(ok.error());
  return writer_->execute(sql, params);
}

Result<void> Transaction::query(std::string_view sql, std::span<const Param> params,
                                const ReadRow& each) {
  if (const auto ok = usable(); !ok) return std::unexpected(ok.error());
  return writer_->query(sql, params, each);
}

Result<std::int64_t> Transaction::execute_each(std::string_view sql, std::size_t count,
                                               std::size_t width, const BindRow& bind,
                                               const RowChanged& changed) {
  if (const auto ok = usable(); !ok) return std::unexpected(ok.error());
  // A savepoint makes the batch all or nothing without ending the transaction.
  if (const auto begun = writer_->execute_silently("SAVEPOINT batch"); !begun) {
    return std::unexpected(begun.error());
  }
  auto done = writer_->execute_each(sql, count, width, bind, changed);
  if (!done && writer_->in_transaction()) {
    (void)writer_->execute_silently("ROLLBACK TO batch");
  }
  if (writer_->in_transaction()) {
    if (const auto ended = writer_->execute_silently("RELEASE batch"); !ended && done) {
      return std::unexpected(ended.error());
    }
  }
  return done;
}

Result<void> Transaction::commit() {
  if (const auto ok = usable(); !ok) {
    release();
    return ok;
  }
  const auto committed = writer_->execute("COMMIT", {});
  if (!committed) {
    rollback();
    return std::unexpected(committed.error());
  }
  release();
  return {};
}

void Transaction::rollback() noexcept {
  if (writer_ == nullptr) return;
  if (writer_->in_transaction()) (void)writer_->execute("ROLLBACK", {});
  release();
}

void Transaction::release() noexcept {
  if (std::exchange(writer_, nullptr) != nullptr) pool_->give_writer();
}

Result<std::shared_ptr<Database>> Database::open(std::string_view url, SqlObserver* observer) {
  DatabaseOptions options;
  options.observer = observer;
  return open(url, options);
}

Result<std::shared_ptr<Database>> Database::open(std::string_view url,
                                                 const DatabaseOptions& options) {
  auto path = path_of(url);
  if (!path) return std::unexpected(path.error());
  auto pool = detail::Pool::open(std::move(*path), options);
  if (!pool) return std::unexpected(pool.error());
  return std::shared_ptr<Database>(new Database(std::move(*pool)));
}

Database::Database(std::unique_ptr<detail::Pool> pool) noexcept : pool_(std::move(pool)) {}
Database::~Database() = default;

std::string_view Database::system() const noexcept { return "sqlite"; }
std::string_view Database::name() const noexcept { return pool_->name(); }

Result<Transaction> Database::begin() {
  const auto writer = pool_->take_writer();
  if (!writer) return std::unexpected(writer.error());
  // IMMEDIATE takes the write lock now: a later upgrade could fail half way through.
  const auto begun = (*writer)->execute("BEGIN IMMEDIATE", {});
  if (!begun) {
    pool_->give_writer();
    return std::unexpected(begun.error());
  }
  return Transaction(pool_.get(), *writer);
}

Result<std::int64_t> Database::execute(std::string_view sql, std::span<const Param> params) {
  const auto writer = pool_->take_writer();
  if (!writer) return std::unexpected(writer.error());
  const WriterLease lease(*pool_);
  return (*writer)->execute(sql, params);
}

Result<void> Database::query(std::string_view sql, std::span<const Param> params,
                             const ReadRow& each) {
  const auto reader = pool_->take_reader();
  if (!reader) return std::unexpected(reader.error());
  const ReaderLease lease(*pool_, *reader);
  return (*reader)->query(sql, params, each);
}

Result<std::int64_t> Database::execute_each(std::string_view sql, std::size_t count,
                                            std::size_t width, const BindRow& bind,
                                            const RowChanged& changed) {
  auto transaction = begin();
  if (!transaction) return std::unexpected(transaction.error());
  auto done = transaction->execute_each(sql, count, width, bind, changed);
  if (!done) return done;
  if (const auto committed = transaction->commit(); !committed) {
    return std::unexpected(committed.error());
  }
  return done;
}

Result<void> Database::ping() {
  return query("SELECT 1", {}, [](const Row&) {});
}

}  // namespace alphaswarm::persistence
