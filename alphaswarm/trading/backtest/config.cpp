#include "alphaswarm/trading/backtest/config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "alphaswarm/trading/strategy/params.hpp"
#include "alphaswarm/trading/strategy/strategy.hpp"

namespace alphaswarm::trading {
namespace json = boost::json;
namespace {

constexpr std::array<std::string_view, 5> kSections{"session", "strategy", "brokerage", "feed",
                                                    "risk"};

// The object under `key`, an empty one if it is absent or null.
Result<json::object> section(const json::object& from, std::string_view where,
                             std::string_view key) {
  const json::value* const found = from.if_contains(key);
  if (found == nullptr || found->is_null()) return json::object();
  if (const json::object* const object = found->if_object()) return *object;
  return fail(ErrorCode::invalid_argument, fmt::format("{}{} is {}, must be an object", where, key,
                                                       json::serialize(*found).substr(0, 64)));
}

Result<void> parse_universe(const json::object& session, std::vector<VtSymbol>& universe) {
  const json::value* const found = session.if_contains("universe");
  if (found == nullptr || found->is_null()) return {};
  const json::array* const list = found->if_array();
  if (list == nullptr) {
    return fail(ErrorCode::invalid_argument, "session: universe must be a list of symbols");
  }
  for (const json::value& one : *list) {
    const json::string* const text = one.if_string();
    const Result<VtSymbol> symbol = VtSymbol::parse(
        text != nullptr ? std::string(text->c_str(), text->size()) : json::serialize(one));
    if (!symbol) {
      return fail(ErrorCode::invalid_argument, "session: universe: " + symbol.error().message);
    }
    universe.push_back(*symbol);
  }
  std::ranges::sort(universe);
  const auto twice = std::ranges::adjacent_find(universe);
  if (twice == universe.end()) return {};
  return fail(ErrorCode::invalid_argument, "session: universe names " + twice->text() + " twice");
}

Result<void> parse_session(const json::object& values, BacktestConfig& config) {
  Params params("session", values);
  config.run_name = params.text("run_name", config.run_name);
  config.matching.initial_cash =
      Money(params.decimal("initial_cash", config.matching.initial_cash.value(),
                           {.low = 0, .high = 1e10, .above_low = true}));
  config.history_window_bars = static_cast<std::size_t>(
      params.integer("history_window_bars", 500, {.low = 1, .high = 100'000}));
  const std::int64_t bars = params.integer("max_bars", 0, {.low = 1, .high = 1'000'000'000});
  if (bars != 0) config.max_bars = bars;
  // A live session's own: read so that they are known here, checked where they are used.
  for (const std::string_view name : {"universe", "heartbeat_seconds", "state_flush_every_bars",
                                      "stop_on_kill_switch", "dry_run"}) {
    params.ignore(name);
  }
  if (Result<void> valid = params.finish(); !valid) return valid;
  return parse_universe(values, config.universe);
}

Result<void> parse_strategy(const json::object& values, BacktestConfig& config) {
  Params params("strategy", values);
  config.strategy = params.text("name", config.strategy);
  params.ignore("params");
  if (Result<void> valid = params.finish(); !valid) return valid;
  Result<json::object> inner = section(values, "strategy: ", "params");
  if (!inner) return std::unexpected(inner.error());
  config.strategy_params = std::move(*inner);
  const auto strategy = make_strategy(config.strategy, config.strategy_params);
  if (!strategy) return std::unexpected(strategy.error());
  config.matching.allow_short = (*strategy)->sizing().allow_short;
  if ((*strategy)->required_history() <= config.history_window_bars) return {};
  return fail(
      ErrorCode::invalid_argument,
      fmt::format("session: history_window_bars is {}, must be at least {} for strategy {}",
                  config.history_window_bars, (*strategy)->required_history(), config.strategy));
}

Result<void> parse_brokerage(const json::object& values, BacktestConfig& config) {
  Params outer("brokerage", values);
  for (const std::string_view name : {"venue", "params"}) outer.ignore(name);
  if (Result<void> valid = outer.finish(); !valid) return valid;
  const Result<json::object> inner = section(values, "brokerage: ", "params");
  if (!inner) return std::unexpected(inner.error());
  Params params("brokerage params", *inner);
  params.ignore("base_url");
  MatchingConfig& to = config.matching;
  to.slippage_bps = params.decimal("slippage_bps", to.slippage_bps, {.low = 0, .high = 1'000});
  to.commission_rate =
      params.decimal("commission_rate", to.commission_rate, {.low = 0, .high = 0.1});
  to.leverage = params.decimal("leverage", to.leverage, {.low = 0, .high = 10, .above_low = true});
  to.max_fill_share =
      params.decimal("max_fill_share", to.max_fill_share, {.low = 0, .high = 1, .above_low = true});
  return params.finish();
}

void parse_time(Params& params, std::string_view name, UnixNanos& time) {
  const std::string text = params.text(name, "");
  if (text.empty()) return;
  const Result<UnixNanos> parsed = from_rfc3339(text);
  if (parsed) {
    time = *parsed;
  } else {
    params.problem(
        fmt::format("{} is '{}', must be a date like 2020-01-31 or a time like "
                    "2020-01-31T00:00:00Z",
                    name, text.substr(0, 64)));
  }
}

Result<void> parse_feed(const json::object& values, BacktestConfig& config) {
  Params outer("feed", values);
  for (const std::string_view name : {"kind", "params"}) outer.ignore(name);
  if (Result<void> valid = outer.finish(); !valid) return valid;
  const Result<json::object> inner = section(values, "feed: ", "params");
  if (!inner) return std::unexpected(inner.error());
  Params params("feed params", *inner);
  for (const std::string_view name : {"speed", "warmup_bars"}) params.ignore(name);
  const Result<Interval> interval = parse_interval(params.text("interval", "1d"));
  if (interval) {
    config.matching.interval = *interval;
  } else {
    params.problem("interval: " + interval.error().message);
  }
  parse_time(params, "start", config.start);
  parse_time(params, "end", config.end);
  if (config.start >= config.end) params.problem("start must be before end");
  return params.finish();
}

}  // namespace

Result<BacktestConfig> parse_backtest_config(const json::object& document) {
  for (const auto& entry : document) {
    if (std::ranges::find(kSections, std::string_view(entry.key())) != kSections.end()) continue;
    return fail(
        ErrorCode::invalid_argument,
        fmt::format("'{}' is not a section of the configuration: one of {}",
                    std::string_view(entry.key()).substr(0, 64), fmt::join(kSections, ", ")));
  }
  BacktestConfig config;
  using Parse = Result<void> (*)(const json::object&, BacktestConfig&);
  constexpr std::array<Parse, 4> kParse{parse_session, parse_strategy, parse_brokerage, parse_feed};
  for (std::size_t i = 0; i < kParse.size(); ++i) {
    const Result<json::object> values = section(document, "", kSections[i]);
    if (!values) return std::unexpected(values.error());
    if (const Result<void> valid = kParse[i](*values, config); !valid) {
      return std::unexpected(valid.error());
    }
  }
  const Result<json::object> risk = section(document, "", "risk");
  if (!risk) return std::unexpected(risk.error());
  const Result<RiskLimits> limits = parse_risk_limits(*risk);
  if (!limits) return std::unexpected(limits.error());
  config.risk = *limits;
  return config;
}

json::object to_json(const BacktestConfig& config) {
  json::array universe;
  for (const VtSymbol& symbol : config.universe) universe.emplace_back(symbol.text());
  json::object feed{{"interval", to_string(config.matching.interval)}};
  const BacktestConfig defaults;
  if (config.start != defaults.start) feed["start"] = to_rfc3339(config.start);
  if (config.end != defaults.end) feed["end"] = to_rfc3339(config.end);
  json::object session{{"run_name", config.run_name},
                       {"universe", std::move(universe)},
                       {"initial_cash", config.matching.initial_cash.to_string()},
                       {"history_window_bars", config.history_window_bars}};
  if (config.max_bars) session["max_bars"] = *config.max_bars;
  return {
      {"session", std::move(session)},
      {"strategy", json::object{{"name", config.strategy}, {"params", config.strategy_params}}},
      {"brokerage",
       json::object{
           {"params",
            json::object{{"slippage_bps", config.matching.slippage_bps.to_string()},
                         {"commission_rate", config.matching.commission_rate.to_string()},
                         {"leverage", config.matching.leverage.to_string()},
                         {"max_fill_share", config.matching.max_fill_share.to_string()}}}}},
      {"feed", json::object{{"params", std::move(feed)}}},
      {"risk", json::object{{"max_position_pct", config.risk.max_position_pct.to_string()},
                            {"max_daily_loss_pct", config.risk.max_daily_loss_pct.to_string()},
                            {"max_drawdown_pct", config.risk.max_drawdown_pct.to_string()},
                            {"max_gross_exposure", config.risk.max_gross_exposure.to_string()}}}};
}

}  // namespace alphaswarm::trading
