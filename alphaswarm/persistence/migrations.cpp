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

Result<std::map<std::int64_t, std::string>> applied_steps(detail::Connection& connection) {
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

Result<void> apply(detail::Connection& connection, const detail::Migration& step) {
  for (const std::string_view statement : step.statements) {
    const std::string text = detail::for_dialect(statement, connection.dialect());
    if (text.empty()) continue;
    const auto done = connection.execute_silently(text);
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

// Runs `body` in a transaction that keeps other processes from changing the schema.
template <class Body>
Result<void> exclusively(detail::Connection& connection, Body&& body) {
  if (auto begun = connection.begin_schema_change(); !begun) return begun;
  Result<void> done = body();
  if (done) {
    if (const auto committed = connection.execute_silently("COMMIT"); !committed) {
      done = std::unexpected(committed.error());
    }
  }
  if (connection.state() != detail::TransactionState::none) {
    (void)connection.execute_silently("ROLLBACK");
  }
  return done;
}

// Looks again under the lock, since another process may have been faster.
Result<void> apply_missing(detail::Connection& connection, const detail::Migration& step) {
  return exclusively(connection, [&]() -> Result<void> {
    const auto applied = applied_steps(connection);
    if (!applied) return std::unexpected(applied.error());
    if (applied->contains(step.version)) return {};
    return apply(connection, step);
  });
}

Result<void> migrate_on(detail::Connection& connection) {
  const auto made = exclusively(connection, [&]() -> Result<void> {
    const auto done = connection.execute_silently(kCreateLog);
    if (!done) return std::unexpected(done.error());
    return {};
  });
  if (!made) return made;
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
  const auto connection = database.pool_->take(detail::Access::write);
  if (!connection) return std::unexpected(connection.error());
  const detail::Lease lease(*database.pool_, *connection);
  return migrate_on(**connection);
}

}  // namespace alphaswarm::persistence
