#include "alphaswarm/persistence/run_repository.hpp"

#include "alphaswarm/persistence/columns.hpp"

namespace alphaswarm::persistence {

template <>
struct detail::Table<RunRow> {
  static constexpr std::string_view kName = "paper_trading_runs";
  static constexpr std::string_view kKey = "id";
  template <class Self, class Visit>
  static void columns(Self& row, Visit&& visit) {
    visit("id", row.id);
    visit("task_id", row.task_id);
    visit("trace_id", row.trace_id);
    visit("run_name", row.run_name);
    visit("strategy", row.strategy);
    visit("brokerage", row.brokerage);
    visit("feed", row.feed);
    visit("status", row.status);
    visit("status_reason", row.status_reason);
    visit("started_at", row.started_at);
    visit("last_heartbeat_at", row.last_heartbeat_at);
    visit("stopped_at", row.stopped_at);
    visit("initial_cash", row.initial_cash);
    visit("final_equity", row.final_equity);
    visit("realised_pnl", row.realised_pnl);
    visit("max_drawdown", row.max_drawdown);
    visit("bars_seen", row.bars_seen);
    visit("orders_submitted", row.orders_submitted);
    visit("fills", row.fills);
    visit("config_json", row.config_json);
    visit("state_json", row.state_json);
    visit("error", row.error);
  }
};

Result<void> RunRepository::insert(const RunRow& row) { return detail::insert_row(executor_, row); }

Result<void> RunRepository::update(const RunRow& row) {
  return detail::update_row(executor_, row, row.id);
}

Result<std::optional<RunRow>> RunRepository::find(std::string_view id) {
  static const std::string kText = detail::select_text<RunRow>("WHERE id = $1");
  return detail::select_one<RunRow>(executor_, kText, {id});
}

Result<std::optional<RunRow>> RunRepository::find_by_task(std::string_view task_id) {
  static const std::string kText =
      detail::select_text<RunRow>("WHERE task_id = $1 ORDER BY sequence DESC LIMIT 1");
  return detail::select_one<RunRow>(executor_, kText, {task_id});
}

Result<std::vector<RunRow>> RunRepository::list(std::int64_t limit) {
  static const std::string kText = detail::select_text<RunRow>("ORDER BY sequence DESC LIMIT $1");
  return detail::select_all<RunRow>(executor_, kText, {limit});
}

Result<std::vector<RunRow>> RunRepository::with_status(std::string_view status) {
  static const std::string kText =
      detail::select_text<RunRow>("WHERE status = $1 ORDER BY sequence");
  return detail::select_all<RunRow>(executor_, kText, {status});
}

}  // namespace alphaswarm::persistence
