// What a decision loop remembers, as JSON: so that a session that was killed can go on.
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value_to.hpp>
#include <exception>
#include <stdexcept>

#include "alphaswarm/trading/strategy/decision_loop.hpp"

namespace alphaswarm::trading {
namespace json = boost::json;
namespace {

constexpr std::int64_t kVersion = 1;

// The readers throw; restore() is the one place that catches and makes it an Error.
Decimal decimal_at(const json::object& from, std::string_view key) {
  const Result<Decimal> value = Decimal::parse(std::string_view(from.at(key).as_string()));
  if (!value) throw std::runtime_error(value.error().message);
  return *value;
}
template <class Amount>
Amount amount_at(const json::object& from, std::string_view key) {
  return Amount(decimal_at(from, key));
}
VtSymbol symbol_at(const json::object& from) {
  const Result<VtSymbol> symbol = VtSymbol::parse(std::string_view(from.at("symbol").as_string()));
  if (!symbol) throw std::runtime_error(symbol.error().message);
  return *symbol;
}

json::object write_risk(const RiskMonitor::State& state) {
  return {{"equity", state.equity.to_string()},
          {"peak", state.peak.to_string()},
          {"day_start", state.day_start.to_string()},
          {"day", state.day},
          {"started", state.started}};
}

RiskMonitor::State read_risk(const json::object& from) {
  return {.equity = amount_at<Money>(from, "equity"),
          .peak = amount_at<Money>(from, "peak"),
          .day_start = amount_at<Money>(from, "day_start"),
          .day = from.at("day").as_int64(),
          .started = from.at("started").as_bool()};
}

json::array write_positions(const Portfolio& portfolio) {
  json::array result;
  for (const Position& position : portfolio.positions()) {
    result.push_back(json::object{{"symbol", position.symbol.text()},
                                  {"quantity", position.quantity.to_string()},
                                  {"average_cost", position.average_cost.to_string()},
                                  {"mark", position.mark.to_string()},
                                  {"realised", position.realised.to_string()}});
  }
  return result;
}

Portfolio read_portfolio(const json::object& from) {
  std::vector<Position> positions;
  for (const json::value& value : from.at("positions").as_array()) {
    const json::object& one = value.as_object();
    positions.push_back({.symbol = symbol_at(one),
                         .quantity = amount_at<Quantity>(one, "quantity"),
                         .average_cost = amount_at<Price>(one, "average_cost"),
                         .mark = amount_at<Price>(one, "mark"),
                         .realised = amount_at<Money>(one, "realised")});
  }
  return {amount_at<Money>(from, "cash"), std::move(positions),
          amount_at<Money>(from, "commissions")};
}

}  // namespace

json::object DecisionLoop::state() const {
  json::array symbols;
  for (const SymbolState& one : symbols_) {
    // Only what the strategy can ask for: the rest of the window would never be read again.
    const std::span<const double> closes = one.history.closes();
    const std::size_t kept = std::min(closes.size(), strategy_->required_history());
    symbols.push_back(json::object{{"symbol", one.symbol.text()},
                                   {"bars_seen", one.history.bars_seen()},
                                   {"session_bars", one.session_bars},
                                   {"closes", json::array(closes.end() - kept, closes.end())}});
  }
  json::array open;
  for (const auto& [id, order] : open_) {
    open.push_back(json::object{{"client_order_id", id},
                                {"symbol", order.symbol.text()},
                                {"side", to_string(order.side)},
                                {"remaining", order.remaining.to_string()},
                                {"reference", order.reference.to_string()}});
  }
  return {{"version", kVersion},
          {"run_id", config_.run_id},
          {"steps", steps_},
          {"next_order", next_order_},
          {"time_ns", time_.value},
          {"cash", portfolio_.cash().to_string()},
          {"commissions", portfolio_.commissions().to_string()},
          {"positions", write_positions(portfolio_)},
          {"risk", write_risk(monitor_.state())},
          {"symbols", std::move(symbols)},
          {"open_orders", std::move(open)}};
}

Result<void> DecisionLoop::restore(const json::object& state) try {
  if (state.at("version").as_int64() != kVersion) throw std::runtime_error("unknown version");
  if (std::string_view(state.at("run_id").as_string()) != config_.run_id) {
    throw std::runtime_error("it belongs to another run");
  }
  std::vector<SymbolState> symbols;
  for (const json::value& value : state.at("symbols").as_array()) {
    const json::object& one = value.as_object();
    const auto closes = json::value_to<std::vector<double>>(one.at("closes"));
    symbols.push_back(
        {.symbol = symbol_at(one),
         .history = History(config_.history_window, closes, one.at("bars_seen").as_int64()),
         .session_bars = one.at("session_bars").as_int64()});
  }
  std::ranges::sort(symbols, {}, &SymbolState::symbol);
  std::map<std::string, OpenOrder, std::less<>> open;
  for (const json::value& value : state.at("open_orders").as_array()) {
    const json::object& one = value.as_object();
    const Result<Side> side = parse_side(std::string_view(one.at("side").as_string()));
    if (!side) throw std::runtime_error(side.error().message);
    open.emplace(std::string(one.at("client_order_id").as_string()),
                 OpenOrder{.symbol = symbol_at(one),
                           .side = *side,
                           .remaining = amount_at<Quantity>(one, "remaining"),
                           .reference = amount_at<Price>(one, "reference")});
  }
  Portfolio portfolio = read_portfolio(state);
  const RiskMonitor monitor(read_risk(state.at("risk").as_object()));
  const std::int64_t steps = state.at("steps").as_int64();
  const std::int64_t next_order = state.at("next_order").as_int64();
  const UnixNanos time{state.at("time_ns").as_int64()};
  // Everything is read: nothing below fails, so a bad state changes nothing.
  symbols_ = std::move(symbols);
  open_ = std::move(open);
  portfolio_ = std::move(portfolio);
  monitor_ = monitor;
  steps_ = steps;
  next_order_ = next_order;
  time_ = time;
  return {};
} catch (const std::exception& error) {
  return fail(ErrorCode::data_loss,
              std::string("the saved state of the session cannot be used: ") + error.what());
}

}  // namespace alphaswarm::trading
