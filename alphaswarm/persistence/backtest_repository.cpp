#include "alphaswarm/persistence/backtest_repository.hpp"

#include "alphaswarm/persistence/columns.hpp"

namespace alphaswarm::persistence {

template <>
struct detail::Table<BacktestRow> {
  static constexpr std::string_view kName = "backtest_runs";
  static constexpr std::string_view kKey = "id";
  template <class Self, class Visit>
  static void columns(Self& row, Visit&& visit) {
    visit("id", row.id);
    visit("task_id", row.task_id);
    visit("trace_id", row.trace_id);
    visit("run_name", row.run_name);
    visit("strategy", row.strategy);
    visit("engine", row.engine);
    visit("status", row.status);
    visit("start_time", row.start_time);
    visit("end_time", row.end_time);
    visit("initial_cash", row.initial_cash);
    visit("final_equity", row.final_equity);
    visit("total_return", row.total_return);
    visit("sharpe", row.sharpe);
    visit("sortino", row.sortino);
    visit("calmar", row.calmar);
    visit("max_drawdown", row.max_drawdown);
    visit("annual_volatility", row.annual_volatility);
    visit("turnover", row.turnover);
    visit("bars_count", row.bars_count);
    visit("orders", row.orders);
    visit("fills", row.fills);
    visit("dataset_hash", row.dataset_hash);
    visit("config_json", row.config_json);
    visit("error", row.error);
    visit("created_at", row.created_at);
    visit("finished_at", row.finished_at);
  }
};

namespace {

Result<void> store_curve_in(SqlExecutor& transaction, std::string_view id,
                            std::span<const EquityPoint> points) {
  const auto removed =
      transaction.execute("DELETE FROM backtest_equity_points WHERE run_id = $1", {id});
  if (!removed) return std::unexpected(removed.error());
  const auto inserted = transaction.execute_each(
      "INSERT INTO backtest_equity_points (run_id, timestamp, equity, drawdown) "
      "VALUES ($1, $2, $3, $4)",
      points.size(), 4,
      [&](std::size_t i, std::span<Param> params) {
        params[0] = id;
        params[1] = points[i].timestamp;
        params[2] = points[i].equity;
        params[3] = points[i].drawdown;
      },
      {});
  if (!inserted) return std::unexpected(inserted.error());
  return {};
}

}  // namespace

Result<void> BacktestRepository::insert(const BacktestRow& row) {
  return detail::insert_row(executor_, row);
}

Result<void> BacktestRepository::update(const BacktestRow& row) {
  return detail::update_row(executor_, row, row.id);
}

Result<std::optional<BacktestRow>> BacktestRepository::find(std::string_view id) {
  static const std::string kText = detail::select_text<BacktestRow>("WHERE id = $1");
  return detail::select_one<BacktestRow>(executor_, kText, {id});
}

Result<std::optional<BacktestRow>> BacktestRepository::find_by_task(std::string_view task_id) {
  static const std::string kText =
      detail::select_text<BacktestRow>("WHERE task_id = $1 ORDER BY sequence DESC LIMIT 1");
  return detail::select_one<BacktestRow>(executor_, kText, {task_id});
}

Result<std::vector<BacktestRow>> BacktestRepository::list(std::int64_t limit) {
  static const std::string kText =
      detail::select_text<BacktestRow>("ORDER BY sequence DESC LIMIT $1");
  return detail::select_all<BacktestRow>(executor_, kText, {limit});
}

Result<void> BacktestRepository::store_curve(std::string_view id,
                                             std::span<const EquityPoint> points) {
  return in_transaction(
      executor_, [&](SqlExecutor& transaction) { return store_curve_in(transaction, id, points); },
      Effects::idempotent);
}

Result<std::vector<EquityPoint>> BacktestRepository::curve(std::string_view id) {
  std::vector<EquityPoint> points;
  const auto done = executor_.query(
      "SELECT timestamp, equity, drawdown FROM backtest_equity_points WHERE run_id = $1 "
      "ORDER BY timestamp",
      {id}, [&](const Row& row) { points.push_back({row.time(0), row.decimal(1), row.real(2)}); });
  if (!done) return std::unexpected(done.error());
  return points;
}

}  // namespace alphaswarm::persistence
