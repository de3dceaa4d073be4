#include "alphaswarm/persistence/schema.hpp"

#include <array>

namespace alphaswarm::persistence::detail {
namespace {

// Types both databases know, SQLite by its affinity rules: BIGINT and SMALLINT are integers,
// DOUBLE PRECISION is a real. Amounts are BIGINT counts of 1e-8 units, which sum exactly in SQL;
// times are BIGINT nanoseconds since the epoch; ids of rows, traces and spans are texts.
// `sequence` is the order of writing: a clock may repeat or go back.
constexpr std::string_view kTradingTables[] = {
    R"(CREATE TABLE bars (
  vt_symbol TEXT NOT NULL,
  interval TEXT NOT NULL,
  timestamp BIGINT NOT NULL,
  open BIGINT NOT NULL,
  high BIGINT NOT NULL,
  low BIGINT NOT NULL,
  close BIGINT NOT NULL,
  volume BIGINT NOT NULL,
  adjusted_close BIGINT,
  PRIMARY KEY (vt_symbol, interval, timestamp)
) {without_rowid})",
    R"(CREATE TABLE paper_trading_runs (
  sequence {identity},
  id TEXT NOT NULL UNIQUE,
  task_id TEXT NOT NULL,
  trace_id TEXT NOT NULL,
  run_name TEXT NOT NULL,
  strategy TEXT NOT NULL,
  brokerage TEXT NOT NULL,
  feed TEXT NOT NULL,
  status TEXT NOT NULL,
  status_reason TEXT NOT NULL,
  started_at BIGINT NOT NULL,
  last_heartbeat_at BIGINT,
  stopped_at BIGINT,
  initial_cash BIGINT NOT NULL,
  final_equity BIGINT,
  realised_pnl BIGINT NOT NULL,
  max_drawdown DOUBLE PRECISION NOT NULL,
  bars_seen BIGINT NOT NULL,
  orders_submitted BIGINT NOT NULL,
  fills BIGINT NOT NULL,
  config_json TEXT NOT NULL,
  state_json TEXT NOT NULL,
  error TEXT NOT NULL
))",
    "CREATE INDEX paper_trading_runs_task ON paper_trading_runs (task_id)",
    "CREATE INDEX paper_trading_runs_status ON paper_trading_runs (status)",
    R"(CREATE TABLE backtest_runs (
  sequence {identity},
  id TEXT NOT NULL UNIQUE,
  task_id TEXT NOT NULL,
  trace_id TEXT NOT NULL,
  run_name TEXT NOT NULL,
  strategy TEXT NOT NULL,
  engine TEXT NOT NULL,
  status TEXT NOT NULL,
  start_time BIGINT,
  end_time BIGINT,
  initial_cash BIGINT NOT NULL,
  final_equity BIGINT,
  total_return DOUBLE PRECISION,
  sharpe DOUBLE PRECISION,
  sortino DOUBLE PRECISION,
  calmar DOUBLE PRECISION,
  max_drawdown DOUBLE PRECISION,
  annual_volatility DOUBLE PRECISION,
  turnover DOUBLE PRECISION,
  bars_count BIGINT NOT NULL,
  orders BIGINT NOT NULL,
  fills BIGINT NOT NULL,
  dataset_hash TEXT NOT NULL,
  config_json TEXT NOT NULL,
  error TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  finished_at BIGINT
))",
    "CREATE INDEX backtest_runs_task ON backtest_runs (task_id)",
    R"(CREATE TABLE backtest_equity_points (
  run_id TEXT NOT NULL REFERENCES backtest_runs (id) ON DELETE CASCADE,
  timestamp BIGINT NOT NULL,
  equity BIGINT NOT NULL,
  drawdown DOUBLE PRECISION NOT NULL,
  PRIMARY KEY (run_id, timestamp)
) {without_rowid})",
    R"(CREATE TABLE signals (
  sequence {identity},
  id TEXT NOT NULL UNIQUE,
  run_id TEXT NOT NULL,
  strategy TEXT NOT NULL,
  vt_symbol TEXT NOT NULL,
  bar_time BIGINT NOT NULL,
  side TEXT NOT NULL,
  strength DOUBLE PRECISION,
  reason TEXT NOT NULL,
  trace_id TEXT NOT NULL,
  span_id TEXT NOT NULL,
  created_at BIGINT NOT NULL
))",
    "CREATE INDEX signals_run ON signals (run_id, sequence)",
    R"(CREATE TABLE orders (
  sequence {identity},
  client_order_id TEXT NOT NULL UNIQUE,
  broker_order_id TEXT NOT NULL,
  run_id TEXT NOT NULL,
  venue TEXT NOT NULL,
  vt_symbol TEXT NOT NULL,
  side TEXT NOT NULL,
  order_type TEXT NOT NULL,
  time_in_force TEXT NOT NULL,
  quantity BIGINT NOT NULL,
  filled_quantity BIGINT NOT NULL,
  average_price BIGINT,
  limit_price BIGINT,
  stop_price BIGINT,
  status TEXT NOT NULL,
  status_reason TEXT NOT NULL,
  trace_id TEXT NOT NULL,
  span_id TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
))",
    "CREATE INDEX orders_run ON orders (run_id, sequence)",
    R"(CREATE TABLE fills (
  sequence {identity},
  id TEXT NOT NULL UNIQUE,
  client_order_id TEXT NOT NULL,
  run_id TEXT NOT NULL,
  vt_symbol TEXT NOT NULL,
  side TEXT NOT NULL,
  quantity BIGINT NOT NULL,
  price BIGINT NOT NULL,
  commission BIGINT NOT NULL,
  filled_at BIGINT NOT NULL,
  trace_id TEXT NOT NULL,
  span_id TEXT NOT NULL,
  created_at BIGINT NOT NULL
))",
    "CREATE INDEX fills_run ON fills (run_id, sequence)",
    "CREATE INDEX fills_order ON fills (client_order_id)",
    R"(CREATE TABLE ledger_entries (
  sequence {identity},
  id TEXT NOT NULL UNIQUE,
  run_id TEXT NOT NULL,
  client_order_id TEXT NOT NULL,
  entry_type TEXT NOT NULL
    CHECK (entry_type IN ('SIGNAL', 'ORDER', 'FILL', 'RISK', 'META')),
  level TEXT NOT NULL,
  message TEXT NOT NULL,
  payload_json TEXT NOT NULL,
  trace_id TEXT NOT NULL,
  span_id TEXT NOT NULL,
  created_at BIGINT NOT NULL
))",
    "CREATE INDEX ledger_entries_run ON ledger_entries (run_id, sequence)",
};

constexpr std::string_view kTaskTables[] = {
    R"(CREATE TABLE tasks (
  sequence {identity},
  id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  queue TEXT NOT NULL,
  status TEXT NOT NULL,
  args_json TEXT NOT NULL,
  kwargs_json TEXT NOT NULL,
  result_json TEXT NOT NULL,
  error TEXT NOT NULL,
  terminal_frame_json TEXT NOT NULL,
  trace_id TEXT NOT NULL,
  worker TEXT NOT NULL,
  retries BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  started_at BIGINT,
  finished_at BIGINT
))",
    R"(CREATE TABLE kill_switch (
  id SMALLINT PRIMARY KEY CHECK (id = 1),
  engaged SMALLINT NOT NULL,
  reason TEXT NOT NULL,
  since BIGINT NOT NULL
))",
};

// A corrected row of PostgreSQL is a second entry of its key. Where a leaf has no room for it the
// leaf is searched for dead entries and then split, which takes longer than the row itself.
constexpr std::string_view kRoomForCorrections[] = {"{room in bars_pkey}"};

// Of tasks that failed in Python, and of those a Python client has sent.
constexpr std::string_view kPythonTasks[] = {
    R"(ALTER TABLE tasks ADD COLUMN traceback TEXT NOT NULL DEFAULT '')",
    R"(ALTER TABLE tasks ADD COLUMN embed_json TEXT NOT NULL DEFAULT '')",
};

// What was said of a task beside its arguments, for when it is sent again.
constexpr std::string_view kTaskOptions[] = {
    R"(ALTER TABLE tasks ADD COLUMN options_json TEXT NOT NULL DEFAULT '')",
};

constexpr std::array kMigrations{
    Migration{1, "trading tables", kTradingTables},
    Migration{2, "tasks and kill switch", kTaskTables},
    Migration{3, "room for corrected bars", kRoomForCorrections},
    Migration{4, "tasks of Python", kPythonTasks},
    Migration{5, "options of tasks", kTaskOptions},
};

void replace_all(std::string& text, std::string_view word, std::string_view by) {
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at)) {
    text.replace(at, word.size(), by);
    at += by.size();
  }
}

}  // namespace

std::span<const Migration> migrations() { return kMigrations; }

std::string for_dialect(std::string_view statement, const Dialect& dialect) {
  std::string text(statement);
  replace_all(text, "{identity}", dialect.identity);
  replace_all(text, "{without_rowid}", dialect.without_rowid);
  replace_all(text, "{room in bars_pkey}", dialect.room_in_bars_key);
  return text;
}

}  // namespace alphaswarm::persistence::detail
