#include "alphaswarm/persistence/kill_switch_repository.hpp"

#include "alphaswarm/persistence/columns.hpp"

namespace alphaswarm::persistence {

Result<KillSwitchRow> KillSwitchRepository::get() {
  KillSwitchRow found;
  const auto done = executor_.query(
      "SELECT engaged, reason, since FROM kill_switch WHERE id = 1", {}, [&](const Row& row) {
        found = {row.integer(0) != 0, std::string(row.text(1)), row.time(2)};
      });
  if (!done) return std::unexpected(done.error());
  return found;
}

Result<void> KillSwitchRepository::set(bool engaged, std::string_view reason, UnixNanos when) {
  const auto done = detail::execute_idempotent(
      executor_,
      "INSERT INTO kill_switch (id, engaged, reason, since) VALUES (1, $1, $2, $3) "
      "ON CONFLICT (id) DO UPDATE SET engaged = excluded.engaged, reason = excluded.reason, "
      "since = excluded.since",
      {engaged, reason, when});
  if (!done) return std::unexpected(done.error());
  return {};
}

}  // namespace alphaswarm::persistence
