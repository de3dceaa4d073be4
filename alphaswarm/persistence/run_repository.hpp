#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alphaswarm/persistence/database.hpp"

namespace alphaswarm::persistence {

// One paper trading session (table paper_trading_runs).
struct RunRow {
  std::string id;        // UUID
  std::string task_id;   // empty for `alphaswarm paper run`
  std::string trace_id;  // 32 hex digits, empty if not traced
  std::string run_name;
  std::string strategy;       // e.g. "mean_reversion"
  std::string brokerage;      // venue, e.g. "sim"
  std::string feed;           // e.g. "replay"
  std::string status;         // pending, bootstrapping, warming_up, running, stopping, completed, …
  std::string status_reason;  // why it is halted, stale, cancelled or in error
  UnixNanos started_at;
  std::optional<UnixNanos> last_heartbeat_at;
  std::optional<UnixNanos> stopped_at;
  Decimal initial_cash;
  std::optional<Decimal> final_equity;
  Decimal realised_pnl;
  double max_drawdown = 0;  // fraction of the peak, 0 to 1
  std::int64_t bars_seen = 0;
  std::int64_t orders_submitted = 0;
  std::int64_t fills = 0;
  std::string config_json = "{}";
  std::string state_json = "{}";  // what a session resumes from
  std::string error;

  friend bool operator==(const RunRow&, const RunRow&) = default;
};

class RunRepository {
 public:
  explicit RunRepository(SqlExecutor& executor) noexcept : executor_(executor) {}

  [[nodiscard]] Result<void> insert(const RunRow& row);
  // Writes every column of the row with that id; not_found if there is none.
  [[nodiscard]] Result<void> update(const RunRow& row);
  [[nodiscard]] Result<std::optional<RunRow>> find(std::string_view id);
  [[nodiscard]] Result<std::optional<RunRow>> find_by_task(std::string_view task_id);
  // Newest first.
  [[nodiscard]] Result<std::vector<RunRow>> list(std::int64_t limit);
  // Those with that status, oldest first; e.g. what was "running" when the process died.
  [[nodiscard]] Result<std::vector<RunRow>> with_status(std::string_view status);

 private:
  SqlExecutor& executor_;
};

}  // namespace alphaswarm::persistence
