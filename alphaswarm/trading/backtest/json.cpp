#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <optional>

#include "alphaswarm/trading/backtest/engine.hpp"

namespace alphaswarm::trading {
namespace json = boost::json;
namespace {

json::value ratio(const std::optional<double>& value) {
  return value ? json::value(*value) : json::value(nullptr);
}

json::object to_json(const Metrics& metrics) {
  return {{"total_return", metrics.total_return},
          {"max_drawdown", metrics.max_drawdown},
          {"annual_volatility", ratio(metrics.annual_volatility)},
          {"sharpe", ratio(metrics.sharpe)},
          {"sortino", ratio(metrics.sortino)},
          {"calmar", ratio(metrics.calmar)},
          {"turnover", ratio(metrics.turnover)}};
}

json::object to_json(const Fill& fill) {
  return {{"time", to_rfc3339(fill.time)},
          {"client_order_id", fill.client_id.value},
          {"symbol", fill.symbol.text()},
          {"side", to_string(fill.side)},
          {"quantity", fill.quantity.to_string()},
          {"price", fill.price.to_string()},
          {"commission", fill.commission.to_string()}};
}

json::object to_json(const Order& order) {
  return {{"client_order_id", order.request.client_id.value},
          {"symbol", order.request.symbol.text()},
          {"side", to_string(order.request.side)},
          {"type", to_string(order.request.type)},
          {"quantity", order.request.quantity.to_string()},
          {"status", to_string(order.status)},
          {"filled_quantity", order.filled.to_string()},
          {"average_price", order.average_price.to_string()},
          {"created", to_rfc3339(order.created)},
          {"reason", order.reason}};
}

template <class Item>
json::array list(const std::vector<Item>& items) {
  json::array result;
  result.reserve(items.size());
  for (const Item& item : items) result.push_back(to_json(item));
  return result;
}

}  // namespace

json::object to_json(const BacktestResult& result, bool with_curve) {
  json::array symbols;
  for (const VtSymbol& symbol : result.symbols) symbols.emplace_back(symbol.text());
  json::object out{{"id", result.id},
                   {"run_name", result.config.run_name},
                   {"strategy", result.config.strategy},
                   {"symbols", std::move(symbols)},
                   {"start", to_rfc3339(result.start)},
                   {"end", to_rfc3339(result.end)},
                   {"bars_count", result.bars_count},
                   {"initial_cash", result.config.matching.initial_cash.to_string()},
                   {"final_equity", result.final_equity.to_string()},
                   {"realised", result.realised.to_string()},
                   {"dataset_hash", result.dataset_hash},
                   {"metrics", to_json(result.metrics)},
                   {"refused", result.refused},
                   {"orders", list(result.orders)},
                   {"fills", list(result.fills)},
                   {"config", to_json(result.config)}};
  if (with_curve) {
    json::array curve;
    curve.reserve(result.curve.size());
    for (const CurvePoint& point : result.curve) {
      curve.push_back(
          json::array{to_rfc3339(point.time), point.equity.to_string(), point.drawdown});
    }
    out["equity_curve"] = std::move(curve);
  }
  return out;
}

}  // namespace alphaswarm::trading
