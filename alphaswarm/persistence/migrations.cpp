#include <fmt/format.h>

#include <map>

#include "alphaswarm/persistence/database.hpp"
#include "alphaswarm/persistence/pool.hpp"
#include "alphaswarm/persistence/schema.hpp"

namespace alphaswarm::persistence {
namespace {

constexpr std::string_view kCreateLog =
    "CREATE TABLE IF NOT EXISTS schema_migrations (version BIGINT PRIMARY KEY, name TEXT NOT NULL, "
    "checksum TEXT NOT NULL, applied_at BIGINT NOT NULL)";

// FNV-1a (Fowler, Noll, Vo), 64 bits: finds edited steps, not attackers. Of the text before the
// dialect is filled in, so that both databases note the same.
std::string checksum_of(const detail::Migration& migration) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const std::string_view statement : migration.statements) {
    for (const char c : statement) {
      hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
    }
    hash = (hash ^ ';') * 0x100000001b3U;
  }
  return fmt::format("{:016x}", hash);
}

Result<std::map<std::int64_t, std::string>> applied_steps(detail::SqliteConnection& connection) {
  std::map<std::int64_t, std::string> applied;
  const auto done = connection.query_silently(
      "SELECT version, checksum FROM schema_migrations",
      [&](const Row& row) { applied.emplace(row.integer(0), row.text(1)); });
  if (!done) return std::unexpected(done.error());
  return applied;
}

Result<void> check_known(const std::map<std::int64_t, std::string>& applied,
                         std::string_view database) {
  const auto steps = detail::migrations();
  const std::int64_t newest = steps.back().version;
  if (!applied.empty() && applied.rbegin()->first > newest) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("{} has schema version {}, but this program knows only {}; use a "
                            "newer program or another database",
                            database, applied.rbegin()->first, newest));
  }
  for (const detail::Migration& step : steps) {
    const auto found = applied.find(step.version);
    if (found == applied.end() || found->second == checksum_of(step)) continue;
    return fail(ErrorCode::data_loss,
                fmt::format("{} was made with another schema step {} ('{}') than this program has; "
                            "use the program that made it or another database",
                            database, step.version, step.name));
  }
  return {};
}

Result<void> apply(detail::SqliteConnection& connection, const detail::Migration& step) {
  for (const std::string_view statement : step.statements) {
    const auto done =
        connection.execute_silently(detail::for_dialect(statement, detail::kSqliteDialect));
    if (!done) return std::unexpected(done.error());
  }
  const std::string checksum = checksum_of(step);
  const Param note[] = {step.version, step.name, checksum, now_unix()};
  const auto noted = connection.execute_silently(
      "INSERT INTO schema_migrations (version, name, checksum, applied_at) "
      "VALUES ($1, $2, $3, $4)",
      note);
  if (!noted) return std::unexpected(noted.error());
  return {};
}

// Under the write lock, since another process may have been faster.
Result<void> apply_missing(detail::SqliteConnection& connection, const detail::Migration& step) {
  if (const auto begun = connection.execute_silently("BEGIN IMMEDIATE"); !begun) {
    return std::unexpected(begun.error());
  }
  const auto attempt = [&]() -> Result<void> {
    const auto applied = applied_steps(connection);
    if (!applied) return std::unexpected(applied.error());
    if (!applied->contains(step.version)) {
      if (auto done = apply(connection, step); !done) return done;
    }
    const auto committed = connection.execute_silently("COMMIT");
    if (!committed) return std::unexpected(committed.error());
    return {};
  };
  const Result<void> done = attempt();
  if (connection.in_transaction()) (void)connection.execute_silently("ROLLBACK");
  return done;
}

Result<void> migrate_on(detail::SqliteConnection& connection) {
  if (const auto made = connection.execute_silently(kCreateLog); !made) {
    return std::unexpected(made.error());
  }
  const auto applied = applied_steps(connection);
  if (!applied) return std::unexpected(applied.error());
  if (auto known = check_known(*applied, connection.name()); !known) return known;
  for (const detail::Migration& step : detail::migrations()) {
    if (applied->contains(step.version)) continue;
    if (auto done = apply_missing(connection, step); !done) return done;
  }
  return {};
}

}  // namespace

Result<void> migrate(Database& database) {
  const auto writer = database.pool_->take_writer();
  if (!writer) return std::unexpected(writer.error());
  Result<void> done = migrate_on(**writer);
  database.pool_->give_writer();
  return done;
}

}  // namespace alphaswarm::persistence
