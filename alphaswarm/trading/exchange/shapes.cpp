#include "alphaswarm/trading/exchange/shapes.hpp"

#include <fmt/format.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "alphaswarm/base/ids.hpp"
#include "alphaswarm/trading/broker/named_uuid.hpp"

namespace alphaswarm::trading::exchange {

namespace json = boost::json;

namespace {

json::value time_or_null(bool present, UnixNanos time) {
  return present ? json::value(to_rfc3339(time)) : json::value(nullptr);
}

template <class T>
json::value text_or_null(const std::optional<T>& amount) {
  return amount ? json::value(amount->to_string()) : json::value(nullptr);
}

}  // namespace

std::unexpected<ApiError> unauthorized() {
  return std::unexpected(ApiError{401, 40110000, "request is not authorized"});
}
std::unexpected<ApiError> forbidden(std::string message) {
  return std::unexpected(ApiError{403, 40310000, std::move(message)});
}
std::unexpected<ApiError> missing(std::string message) {
  return std::unexpected(ApiError{404, 40410000, std::move(message)});
}
std::unexpected<ApiError> not_opened() {
  return missing(
      "this account was not opened, or was forgotten when the exchange was restarted: POST "
      "/sim/v1/account, or begin its market with bar_index 0");
}
std::unexpected<ApiError> unprocessable(std::string message) {
  return std::unexpected(ApiError{422, 40010001, std::move(message)});
}
std::unexpected<ApiError> wrong_state(std::string message) {
  return std::unexpected(ApiError{422, 42210000, std::move(message)});
}

std::string to_body(const ApiError& error) {
  return json::serialize(json::object{{"code", error.code}, {"message", error.message}});
}

std::string_view alpaca_status(OrderStatus status) noexcept {
  switch (status) {
    case OrderStatus::submitting:
      return "pending_new";
    case OrderStatus::new_order:
      return "new";
    case OrderStatus::partial:
      return "partially_filled";
    case OrderStatus::filled:
      return "filled";
    case OrderStatus::cancelled:
      return "canceled";
    case OrderStatus::rejected:
      return "rejected";
    case OrderStatus::expired:
      return "expired";
  }
  return "new";
}

std::string_view event_name(OrderEvent event) noexcept {
  switch (event) {
    case OrderEvent::fill:
      return "fill";
    case OrderEvent::partial_fill:
      return "partial_fill";
    case OrderEvent::cancelled:
      return "canceled";
    case OrderEvent::expired:
      return "expired";
    case OrderEvent::rejected:
      return "rejected";
  }
  return "rejected";
}

json::object order_json(const Order& order) {
  const OrderRequest& request = order.request;
  const bool any_fill = !order.filled.is_zero();
  json::object body;
  body.reserve(36);
  body["id"] = order.id.value;
  body["client_order_id"] = request.client_id.value;
  body["created_at"] = to_rfc3339(order.created);
  body["updated_at"] = to_rfc3339(order.updated);
  body["submitted_at"] = to_rfc3339(order.created);
  body["filled_at"] = time_or_null(order.status == OrderStatus::filled, order.updated);
  body["expired_at"] = time_or_null(order.status == OrderStatus::expired, order.updated);
  body["canceled_at"] = time_or_null(order.status == OrderStatus::cancelled, order.updated);
  body["failed_at"] = time_or_null(order.status == OrderStatus::rejected, order.updated);
  for (const char* absent : {"replaced_at", "replaced_by", "replaces", "notional", "legs",
                             "trail_percent", "trail_price", "hwm"}) {
    body[absent] = nullptr;
  }
  body["asset_id"] = named_uuid(request.symbol.text());
  body["symbol"] = request.symbol.text();
  body["asset_class"] = "us_equity";
  body["qty"] = request.quantity.to_string();
  body["filled_qty"] = order.filled.to_string();
  body["filled_avg_price"] =
      any_fill ? json::value(order.average_price.to_string()) : json::value(nullptr);
  body["order_class"] = "";
  body["order_type"] = to_string(request.type);
  body["type"] = to_string(request.type);
  body["side"] = to_string(request.side);
  body["time_in_force"] = to_string(request.time_in_force);
  body["limit_price"] = text_or_null(request.limit_price);
  body["stop_price"] = text_or_null(request.stop_price);
  body["status"] = alpaca_status(order.status);
  body["extended_hours"] = false;
  // Not Alpaca's: why the exchange refused or ended it.
  body["status_reason"] = order.reason;
  return body;
}

json::object position_json(const Position& position, Quantity available) {
  const Money cost = position.average_cost * position.quantity;
  const Decimal gain = cost.is_zero() ? Decimal() : position.unrealised() / cost.absolute();
  return {{"asset_id", named_uuid(position.symbol.text())},
          {"symbol", position.symbol.text()},
          {"exchange", position.symbol.exchange()},
          {"asset_class", "us_equity"},
          {"avg_entry_price", position.average_cost.to_string()},
          {"qty", position.quantity.to_string()},
          {"qty_available", available.to_string()},
          {"side", position.quantity.is_negative() ? "short" : "long"},
          {"market_value", position.value().to_string()},
          {"cost_basis", cost.to_string()},
          {"unrealized_pl", position.unrealised().to_string()},
          {"unrealized_plpc", gain.to_string()},
          {"current_price", position.mark.to_string()}};
}

json::object account_json(std::string_view key_id, const MatchingEngine& engine,
                          Money last_equity) {
  const Portfolio& portfolio = engine.portfolio();
  Money long_value, short_value;
  for (const Position& position : portfolio.positions()) {
    (position.quantity.is_negative() ? short_value : long_value) += position.value();
  }
  const std::string buying_power = engine.buying_power().to_string();
  const std::string id = named_uuid(key_id);
  json::object body{{"id", id},
                    {"account_number", "SIM" + id.substr(0, 8)},
                    {"status", "ACTIVE"},
                    {"currency", "USD"},
                    {"cash", portfolio.cash().to_string()},
                    {"equity", portfolio.equity().to_string()},
                    {"last_equity", last_equity.to_string()},
                    {"portfolio_value", portfolio.equity().to_string()},
                    {"buying_power", buying_power},
                    {"regt_buying_power", buying_power},
                    {"daytrading_buying_power", "0"},
                    {"non_marginable_buying_power", buying_power},
                    {"multiplier", engine.config().leverage.to_string()},
                    {"long_market_value", long_value.to_string()},
                    {"short_market_value", short_value.to_string()},
                    {"shorting_enabled", engine.config().allow_short},
                    {"daytrade_count", 0}};
  for (const char* off : {"pattern_day_trader", "trading_blocked", "transfers_blocked",
                          "account_blocked", "trade_suspended_by_user"}) {
    body[off] = false;
  }
  // Not Alpaca's: what the session's own books are checked against.
  body["realized_pl"] = portfolio.realised().to_string();
  body["commissions"] = portfolio.commissions().to_string();
  return body;
}

json::object asset_json(const VtSymbol& symbol, bool shortable) {
  return {{"id", named_uuid(symbol.text())},
          {"class", "us_equity"},
          {"exchange", symbol.exchange()},
          {"symbol", symbol.text()},
          {"name", symbol.ticker()},
          {"status", "active"},
          {"tradable", true},
          {"marginable", false},
          {"shortable", shortable},
          {"easy_to_borrow", shortable},
          {"fractionable", true}};
}

json::object update_json(const OrderUpdate& update, Quantity position,
                         std::string_view execution_id) {
  json::object data{{"event", event_name(update.event)},
                    {"timestamp", to_rfc3339(update.order.updated)},
                    {"order", order_json(update.order)}};
  if (update.fill) {
    data["price"] = update.fill->price.to_string();
    data["qty"] = update.fill->quantity.to_string();
    data["position_qty"] = position.to_string();
    data["execution_id"] = execution_id;
    data["commission"] = update.fill->commission.to_string();  // not Alpaca's
  }
  return data;
}

json::object market_bar_json(const Bar& bar) {
  return {{"t", to_rfc3339(bar.timestamp)},
          {"o", bar.open.to_double()},
          {"h", bar.high.to_double()},
          {"l", bar.low.to_double()},
          {"c", bar.close.to_double()},
          {"v", bar.volume.to_double()},
          {"n", 1},
          {"vw", bar.close.to_double()}};
}

}  // namespace alphaswarm::trading::exchange
