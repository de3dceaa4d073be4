// PATCH /v2/orders/{id} and PATCH /v2/account/configurations.

#include <fmt/format.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "alphaswarm/base/ids.hpp"
#include "alphaswarm/trading/exchange/account.hpp"

namespace alphaswarm::trading::exchange {

namespace json = boost::json;

namespace {

// What a replacement may change; everything else stays as it was.
ApiResult<OrderRequest> changed(const Order& order, const json::object& wanted) {
  OrderRequest request = order.request;
  request.client_id.value = random_uuid();
  for (const auto& [key, value] : wanted) {
    if (value.is_null()) continue;
    if (key == "qty" || key == "limit_price" || key == "stop_price") {
      const Result<Decimal> number = to_decimal(value);
      if (!number) {
        return unprocessable(fmt::format("invalid {} {}: {}", std::string_view(key),
                                         json::serialize(value), number.error().message));
      }
      if (key == "qty") request.quantity = Quantity(*number);
      if (key == "limit_price") request.limit_price = Price(*number);
      if (key == "stop_price") request.stop_price = Price(*number);
    } else if (key == "time_in_force" && value.is_string()) {
      const Result<TimeInForce> force = parse_time_in_force(value.get_string());
      if (!force) return unprocessable(force.error().message);
      request.time_in_force = *force;
    } else if (key == "client_order_id" && value.is_string() && !value.get_string().empty() &&
               value.get_string().size() <= 128) {
      request.client_id.value = std::string_view(value.get_string());
    } else {
      return unprocessable(fmt::format("{} of an order cannot be replaced by {}",
                                       std::string_view(key),
                                       json::serialize(value).substr(0, 64)));
    }
  }
  if (request.quantity <= order.filled) {
    return unprocessable(fmt::format("qty is {}, of which {} are filled already",
                                     request.quantity.to_string(), order.filled.to_string()));
  }
  request.quantity -= order.filled;  // what is filled stays with the order that is replaced
  return request;
}

ApiResult<json::object> parse_object(std::string_view body) {
  boost::system::error_code malformed;
  json::value parsed = json::parse(body, malformed);
  if (malformed || !parsed.is_object()) {
    return std::unexpected(ApiError{400, 40010000, "request body must be a JSON object"});
  }
  return std::move(parsed.get_object());
}

}  // namespace

json::object Account::shape(const Order& order) const {
  json::object body = order_json(order);
  if (const auto next = replaced_by_.find(order.id.value); next != replaced_by_.end()) {
    body["status"] = "replaced";
    body["replaced_by"] = next->second;
    body["replaced_at"] = to_rfc3339(order.updated);
    body["canceled_at"] = nullptr;
  }
  if (const auto old = replaces_.find(order.id.value); old != replaces_.end()) {
    body["replaces"] = old->second;
  }
  return body;
}

ApiResult<json::object> Account::replace(std::string_view id, std::string_view body) {
  const ApiResult<json::object> wanted = parse_object(body);
  if (!wanted) return std::unexpected(wanted.error());
  const std::scoped_lock lock(mutex_);
  const OrderId old_id{std::string(id)};
  const Order* const old = engine_.find(old_id);
  if (old == nullptr) return missing(fmt::format("order not found for {}", id.substr(0, 64)));
  const ApiResult<OrderRequest> request = changed(*old, *wanted);
  if (!request) return std::unexpected(request.error());
  if (const ApiResult<void> may = may_place(*request); !may) return std::unexpected(may.error());
  const Result<Order> order = engine_.replace(old_id, *request, now());
  if (!order) {
    return order.error().code == ErrorCode::conflict ? wrong_state(order.error().message)
                                                     : unprocessable(order.error().message);
  }
  if (order->status == OrderStatus::rejected) return forbidden(order->reason);
  replaced_by_[old_id.value] = order->id.value;
  replaces_[order->id.value] = old_id.value;
  publish("replaced", *engine_.find(old_id));
  publish("new", *order);
  return shape(*order);
}

json::object Account::configurations_json() const {
  json::object all{{"dtbp_check", "both"},
                   {"fractional_trading", true},
                   {"max_margin_multiplier", engine_.config().leverage.to_string()},
                   {"no_shorting", !engine_.config().allow_short},
                   {"pdt_check", "both"},
                   {"suspend_trade", false},
                   {"trade_confirm_email", "none"},
                   {"ptp_no_exception_entry", false}};
  for (const auto& [key, value] : settings_) all[key] = value;
  return all;
}

json::object Account::configurations() const {
  const std::scoped_lock lock(mutex_);
  return configurations_json();
}

ApiResult<json::object> Account::configure(std::string_view body) {
  const ApiResult<json::object> wanted = parse_object(body);
  if (!wanted) return std::unexpected(wanted.error());
  const std::scoped_lock lock(mutex_);
  const json::object now = configurations_json();
  for (const auto& [key, value] : *wanted) {
    if (value.is_null()) continue;
    const json::value* known = now.if_contains(key);
    if (known == nullptr || known->kind() != value.kind()) {
      return unprocessable(fmt::format("{} cannot be {}", std::string_view(key).substr(0, 64),
                                       json::serialize(value).substr(0, 64)));
    }
    const bool term =
        key == "no_shorting" || key == "max_margin_multiplier" || key == "fractional_trading";
    if (term && *known != value) {
      return unprocessable(
          fmt::format("{} is one of the terms the account was opened with", std::string_view(key)));
    }
  }
  for (const auto& [key, value] : *wanted) {
    if (!value.is_null()) settings_[key] = value;
  }
  return configurations_json();
}

}  // namespace alphaswarm::trading::exchange
