#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "alphaswarm/persistence/database.hpp"

namespace alphaswarm::persistence {

// One backtest (table backtest_runs). The ratios are those of the backtest's metrics; a ratio that
// is not defined (no variance, no trades) is absent.
struct BacktestRow {
  std::string id;        // UUID
  std::string task_id;   // empty for `alphaswarm backtest run`
  std::string trace_id;  // 32 hex digits, empty if not traced
  std::string run_name;
  std::string strategy;
  std::string engine;
  std::string status;                   // pending, running, completed, error
  std::optional<UnixNanos> start_time;  // first bar
  std::optional<UnixNanos> end_time;    // last bar
  Decimal initial_cash;
  std::optional<Decimal> final_equity;
  std::optional<double> total_return, sharpe, sortino, calmar, max_drawdown, annual_volatility,
      turnover;
  std::int64_t bars_count = 0;
  std::int64_t orders = 0;
  std::int64_t fills = 0;
  std::string dataset_hash;  // SHA-256 of the data used, hex
  std::string config_json = "{}";
  std::string error;
  UnixNanos created_at;
  std::optional<UnixNanos> finished_at;

  friend bool operator==(const BacktestRow&, const BacktestRow&) = default;
};

// Equity at a bar's close, and how far below its peak so far (fraction, 0 to 1).
struct EquityPoint {
  UnixNanos timestamp;
  Decimal equity;
  double drawdown = 0;

  friend bool operator==(const EquityPoint&, const EquityPoint&) = default;
};

class BacktestRepository {
 public:
  explicit BacktestRepository(SqlExecutor& executor) noexcept : executor_(executor) {}

  [[nodiscard]] Result<void> insert(const BacktestRow& row);
  // Writes every column of the row with that id; not_found if there is none.
  [[nodiscard]] Result<void> update(const BacktestRow& row);
  [[nodiscard]] Result<std::optional<BacktestRow>> find(std::string_view id);
  [[nodiscard]] Result<std::optional<BacktestRow>> find_by_task(std::string_view task_id);
  // Newest first.
  [[nodiscard]] Result<std::vector<BacktestRow>> list(std::int64_t limit);

  // Replaces the run's curve; timestamps MUST be unique.
  [[nodiscard]] Result<void> store_curve(std::string_view id, std::span<const EquityPoint> points);
  // In order of time.
  [[nodiscard]] Result<std::vector<EquityPoint>> curve(std::string_view id);

 private:
  SqlExecutor& executor_;
};

}  // namespace alphaswarm::persistence
