#include "alphaswarm/trading/backtest/stored.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <utility>

#include "alphaswarm/base/ids.hpp"
#include "alphaswarm/base/log.hpp"
#include "alphaswarm/observability/tracing.hpp"
#include "alphaswarm/persistence/backtest_repository.hpp"
#include "alphaswarm/persistence/bar_repository.hpp"

namespace alphaswarm::trading {
namespace {

namespace otel = alphaswarm::observability;
using persistence::BacktestRepository;
using persistence::BacktestRow;

BacktestRow new_row(const StoredBacktestRequest& request) {
  const BacktestConfig& config = request.config;
  BacktestRow row;
  row.id = request.task_id.empty() ? random_uuid() : request.task_id;
  row.task_id = request.task_id;
  const otel::SpanContext context = otel::current_context();
  if (context.is_valid()) row.trace_id = context.trace_id.to_hex();
  row.run_name = config.run_name;
  row.strategy = config.strategy;
  row.engine = std::string(kBacktestEngine);
  row.status = "running";
  row.initial_cash = config.matching.initial_cash.value();
  row.config_json = boost::json::serialize(to_json(config));
  row.created_at = now_unix();
  return row;
}

// A task that is delivered again finds its row: it starts over.
Result<void> write_new(persistence::Database& database, const BacktestRow& row) {
  BacktestRepository repository(database);
  const Result<void> inserted = repository.insert(row);
  if (inserted || inserted.error().code != ErrorCode::already_exists) return inserted;
  return repository.update(row);
}

void fail_row(persistence::Database& database, BacktestRow row, const Error& error) {
  row.status = "error";
  row.error = error.message;
  row.finished_at = now_unix();
  if (const Result<void> written = BacktestRepository(database).update(row); !written) {
    log_error("backtest", "the run " + row.id + " failed, and its row could not be written: " +
                              written.error().message);
  }
}

void fill_row(BacktestRow& row, const BacktestResult& result) {
  row.status = "completed";
  row.start_time = result.start;
  row.end_time = result.end;
  row.final_equity = result.final_equity.value();
  row.total_return = result.metrics.total_return;
  row.max_drawdown = result.metrics.max_drawdown;
  row.sharpe = result.metrics.sharpe;
  row.sortino = result.metrics.sortino;
  row.calmar = result.metrics.calmar;
  row.annual_volatility = result.metrics.annual_volatility;
  row.turnover = result.metrics.turnover;
  row.bars_count = result.bars_count;
  row.orders = static_cast<std::int64_t>(result.orders.size());
  row.fills = static_cast<std::int64_t>(result.fills.size());
  row.dataset_hash = result.dataset_hash;
  row.finished_at = now_unix();
}

Result<std::vector<VtSymbol>> symbols_of(persistence::SqlExecutor& database,
                                         const BacktestConfig& config) {
  if (!config.universe.empty()) return config.universe;
  const auto known = persistence::BarRepository(database).symbols();
  if (!known) return std::unexpected(known.error());
  std::vector<VtSymbol> symbols;
  for (const persistence::SymbolSummary& one : *known) {
    if (one.interval != to_string(config.matching.interval)) continue;
    Result<VtSymbol> symbol = VtSymbol::parse(one.vt_symbol);
    if (!symbol) return std::unexpected(symbol.error());
    symbols.push_back(std::move(*symbol));
  }
  return symbols;
}

}  // namespace

Result<Dataset> load_dataset(persistence::SqlExecutor& database, const BacktestConfig& config) {
  const auto symbols = symbols_of(database, config);
  if (!symbols) return std::unexpected(symbols.error());
  Dataset dataset{.interval = config.matching.interval, .series = {}};
  for (const VtSymbol& symbol : *symbols) {
    const auto rows =
        persistence::BarRepository(database).load({.vt_symbol = symbol.text(),
                                                   .interval = to_string(dataset.interval),
                                                   .start = config.start,
                                                   .end = config.end});
    if (!rows) return std::unexpected(rows.error());
    Series series{.symbol = symbol, .bars = {}};
    series.bars.reserve(rows->size());
    for (const persistence::BarRow& row : *rows) {
      series.bars.push_back({.timestamp = row.timestamp,
                             .open = Price(row.open),
                             .high = Price(row.high),
                             .low = Price(row.low),
                             .close = Price(row.close),
                             .volume = Quantity(row.volume)});
    }
    if (!series.bars.empty()) dataset.series.push_back(std::move(series));
  }
  if (const Result<void> valid = normalise(dataset); !valid) {
    return std::unexpected(valid.error());
  }
  return dataset;
}

StoredBacktest::StoredBacktest(persistence::Database& database, BacktestRow row, Backtest backtest)
    : database_(&database), row_(std::move(row)), backtest_(std::move(backtest)) {}

Result<StoredBacktest> StoredBacktest::start(persistence::Database& database,
                                             StoredBacktestRequest request) {
  BacktestRow row = new_row(request);
  if (const Result<void> written = write_new(database, row); !written) {
    return std::unexpected(written.error());
  }
  const auto failed = [&](const Error& error) {
    fail_row(database, row, error);
    return std::unexpected(error);
  };
  const Result<Dataset> dataset = load_dataset(database, request.config);
  if (!dataset) return failed(dataset.error());
  Result<Backtest> backtest = Backtest::create(request.config, *dataset, {.run_id = row.id});
  if (!backtest) return failed(backtest.error());
  return StoredBacktest(database, std::move(row), std::move(*backtest));
}

void StoredBacktest::abandon(const Error& error) { fail_row(*database_, row_, error); }

Result<BacktestResult> StoredBacktest::finish() {
  BacktestResult result = backtest_.finish();
  fill_row(row_, result);
  std::vector<persistence::EquityPoint> curve;
  curve.reserve(result.curve.size());
  for (const CurvePoint& point : result.curve) {
    curve.push_back(
        {.timestamp = point.time, .equity = point.equity.value(), .drawdown = point.drawdown});
  }
  const Result<void> written =
      persistence::in_transaction(*database_, [&](persistence::SqlExecutor& transaction) {
        BacktestRepository repository(transaction);
        Result<void> done = repository.update(row_);
        if (done) done = repository.store_curve(row_.id, curve);
        return done;
      });
  if (written) return result;
  abandon(written.error());
  return std::unexpected(written.error());
}

Result<BacktestResult> run_stored_backtest(persistence::Database& database,
                                           StoredBacktestRequest request) {
  otel::Span span = start_backtest_span(request.config);
  Result<StoredBacktest> run = StoredBacktest::start(database, std::move(request));
  Result<BacktestResult> result = std::unexpected(Error{});
  if (run) {
    span.set("backtest.bars_count", run->backtest().bars_count());
    (void)run->backtest().play(run->backtest().all_steps());
    result = run->finish();
  } else {
    result = std::unexpected(run.error());
  }
  if (!result) span.error(result.error().message);
  return result;
}

}  // namespace alphaswarm::trading
