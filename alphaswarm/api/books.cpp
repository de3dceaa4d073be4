#include "alphaswarm/api/books.hpp"

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "alphaswarm/persistence/bar_repository.hpp"
#include "alphaswarm/persistence/fill_repository.hpp"
#include "alphaswarm/trading/backtest/dataset.hpp"
#include "alphaswarm/trading/paper/session_config.hpp"

namespace alphaswarm::api {

namespace json = boost::json;

namespace {

using persistence::BarRow;
using persistence::EquityPoint;
using persistence::FillRow;
using persistence::RunRow;
using trading::Money;
using trading::Portfolio;
using trading::Price;
using trading::Quantity;

constexpr std::int64_t kAll = std::numeric_limits<std::int64_t>::max();

Result<std::vector<trading::Fill>> fills_of(persistence::Database& database, const RunRow& run) {
  Result<std::vector<FillRow>> rows =
      persistence::FillRepository(database).for_run(run.id, kAll);  // newest first
  if (!rows) return std::unexpected(rows.error());
  std::vector<trading::Fill> fills;
  fills.reserve(rows->size());
  for (auto row = rows->rbegin(); row != rows->rend(); ++row) {  // oldest first
    const Result<trading::VtSymbol> symbol = trading::VtSymbol::parse(row->vt_symbol);
    const Result<trading::Side> side = trading::parse_side(row->side);
    if (!symbol) return std::unexpected(symbol.error());
    if (!side) return std::unexpected(side.error());
    fills.push_back({.client_id = {row->client_order_id},
                     .order_id = {},
                     .symbol = *symbol,
                     .side = *side,
                     .quantity = Quantity(row->quantity),
                     .price = Price(row->price),
                     .commission = Money(row->commission),
                     .time = row->filled_at});
  }
  return fills;
}

std::optional<std::int64_t> integer_at(const json::object& from, std::string_view key) {
  const json::value* found = from.if_contains(key);
  if (found == nullptr || !found->is_int64()) return std::nullopt;
  return found->get_int64();
}

// The time of the last bar that is in the books: of the flushed state, or of a fill after it.
UnixNanos seen_until(const RunRow& run, const std::vector<trading::Fill>& fills) {
  UnixNanos time = fills.empty() ? UnixNanos{} : fills.back().time;
  boost::system::error_code error;
  const json::value state = json::parse(run.state_json, error);
  const json::object* outer = error ? nullptr : state.if_object();
  if (outer == nullptr) return time;
  std::optional<std::int64_t> flushed = integer_at(*outer, "time_ns");
  for (const json::key_value_pair& entry : *outer) {
    const json::object* inner = entry.value().if_object();
    if (!flushed && inner != nullptr) flushed = integer_at(*inner, "time_ns");
  }
  return flushed ? std::max(time, UnixNanos{*flushed}) : time;
}

Result<trading::paper::SessionConfig> config_of(const RunRow& run) {
  boost::system::error_code error;
  const json::value document = json::parse(run.config_json, error);
  if (error || !document.is_object()) {
    return fail(ErrorCode::data_loss, "the configuration of run " + run.id + " is not JSON");
  }
  auto config = trading::paper::parse_session_config(document.get_object());
  if (!config) return std::unexpected(trading::paper::to_error(config.error()));
  // A live feed that was given no start had no bars before the session.
  if (config->live_feed() && config->run.start == trading::BacktestConfig().start) {
    config->run.start = run.started_at;
  }
  return std::move(*config);
}

UnixNanos just_after(UnixNanos time) { return {time.value + 1}; }

// The bars the session has seen, of its universe or of every symbol of its interval.
Result<trading::Dataset> bars_of(persistence::Database& database,
                                 const trading::BacktestConfig& config, UnixNanos until) {
  persistence::BarRepository bars(database);
  const std::string interval(to_string(config.matching.interval));
  trading::Dataset dataset{.interval = config.matching.interval, .series = {}};
  for (const trading::VtSymbol& symbol : config.universe) dataset.series.push_back({symbol, {}});
  if (config.universe.empty()) {
    const Result<std::vector<persistence::SymbolSummary>> known = bars.symbols();
    if (!known) return std::unexpected(known.error());
    for (const persistence::SymbolSummary& each : *known) {
      const Result<trading::VtSymbol> symbol = trading::VtSymbol::parse(each.vt_symbol);
      if (symbol && each.interval == interval) dataset.series.push_back({*symbol, {}});
    }
  }
  for (trading::Series& series : dataset.series) {
    const Result<std::vector<BarRow>> rows =
        bars.load({.vt_symbol = series.symbol.text(),
                   .interval = interval,
                   .start = config.start,
                   .end = std::min(config.end, just_after(until))});
    if (!rows) return std::unexpected(rows.error());
    series.bars.reserve(rows->size());
    for (const BarRow& row : *rows) {
      series.bars.push_back({row.timestamp, Price(row.open), Price(row.high), Price(row.low),
                             Price(row.close), Quantity(row.volume)});
    }
  }
  if (const Result<void> ok = trading::normalise(dataset); !ok) return std::unexpected(ok.error());
  return dataset;
}

}  // namespace

Result<Books> books_now(persistence::Database& database, const RunRow& run) {
  const Result<std::vector<trading::Fill>> fills = fills_of(database, run);
  if (!fills) return std::unexpected(fills.error());
  Books books{Portfolio(Money(run.initial_cash)), {}};
  for (const trading::Fill& fill : *fills) books.portfolio.apply(fill);
  const Result<trading::paper::SessionConfig> config = config_of(run);
  if (!config) return books;  // marked at the fills: an old run is still worth showing
  const std::string interval(to_string(config->run.matching.interval));
  const UnixNanos until = seen_until(run, *fills);
  persistence::BarRepository bars(database);
  std::vector<std::pair<trading::VtSymbol, Price>> marks;
  for (const trading::Position& position : books.portfolio.positions()) {
    const Result<std::vector<BarRow>> last = bars.load({.vt_symbol = position.symbol.text(),
                                                        .interval = interval,
                                                        .end = just_after(until),
                                                        .limit = 1,
                                                        .latest = true});
    if (!last) return std::unexpected(last.error());
    if (!last->empty()) marks.emplace_back(position.symbol, Price(last->front().close));
  }
  for (const auto& [symbol, price] : marks) books.portfolio.mark(symbol, price);
  return books;
}

Result<Books> books_over_time(persistence::Database& database, const RunRow& run) {
  const Result<std::vector<trading::Fill>> fills = fills_of(database, run);
  if (!fills) return std::unexpected(fills.error());
  const Result<trading::paper::SessionConfig> config = config_of(run);
  if (!config) return books_now(database, run);
  const Result<trading::Dataset> dataset = bars_of(database, config->run, seen_until(run, *fills));
  if (!dataset) return std::unexpected(dataset.error());

  Books books{Portfolio(Money(run.initial_cash)), {}};
  auto next_fill = fills->begin();
  Money peak(run.initial_cash);
  const auto most = static_cast<std::size_t>(config->run.max_bars.value_or(kAll));
  trading::TimeSteps steps(*dataset);
  while (books.curve.size() < most && steps.next()) {
    // Orders of earlier steps were filled within this bar, before its close.
    for (; next_fill != fills->end() && next_fill->time <= steps.time(); ++next_fill) {
      books.portfolio.apply(*next_fill);
    }
    for (const trading::SymbolBar& each : steps.bars()) {
      books.portfolio.mark(each.symbol, each.bar.close);
    }
    const Money equity = books.portfolio.equity();
    peak = std::max(peak, equity);
    const double drawdown = peak.is_positive() ? ((peak - equity) / peak).to_double() : 0;
    books.curve.push_back({steps.time(), equity.value(), drawdown});
  }
  for (; next_fill != fills->end(); ++next_fill) books.portfolio.apply(*next_fill);
  return books;
}

std::vector<EquityPoint> thinned(const std::vector<EquityPoint>& curve, std::size_t points) {
  if (curve.size() <= points) return curve;
  std::vector<EquityPoint> kept;
  const std::size_t step = (curve.size() - 1 + points - 2) / (points - 1);
  for (std::size_t i = 0; i + 1 < curve.size(); i += step) kept.push_back(curve[i]);
  kept.push_back(curve.back());
  return kept;
}

}  // namespace alphaswarm::api
