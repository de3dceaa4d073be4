#include "alphaswarm/trading/broker/tradier_json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace alphaswarm::trading {

namespace json = boost::json;

namespace {

const json::value* field(const json::value& body, std::string_view key) {
  const json::object* object = body.if_object();
  const json::value* value = object == nullptr ? nullptr : object->if_contains(key);
  return value == nullptr || value->is_null() ? nullptr : value;
}

std::string text(const json::value& body, std::string_view key) {
  const json::value* value = field(body, key);
  if (value == nullptr) return {};
  if (value->is_string()) return std::string(value->get_string());
  return value->is_int64() ? std::to_string(value->get_int64()) : std::string();
}

Decimal number(const json::value& body, std::string_view key) {
  const json::value* value = field(body, key);
  if (value == nullptr) return {};
  if (value->is_number()) return Decimal::from_double(value->to_number<double>());
  return value->is_string() ? Decimal::parse(value->get_string()).value_or(Decimal()) : Decimal();
}

// The entries of {"<outer>": {"<inner>": …}}; nullopt if the body has no such thing.
std::optional<std::vector<const json::value*>> entries(const json::value& body,
                                                       std::string_view outer,
                                                       std::string_view inner) {
  const json::object* object = body.if_object();
  const json::value* list = object == nullptr ? nullptr : object->if_contains(outer);
  if (list == nullptr) return std::nullopt;
  std::vector<const json::value*> all;
  if (list->is_null() || list->is_string()) return all;  // "null"
  const json::value* held = field(*list, inner);
  if (held == nullptr) return all;
  if (const json::array* several = held->if_array()) {
    for (const json::value& one : *several) all.push_back(&one);
  } else if (held->is_object()) {
    all.push_back(held);
  }
  return all;
}

Error unreadable(std::string_view what) {
  return Error{ErrorCode::data_loss, fmt::format("tradier: the {} cannot be read", what), false};
}

std::string_view duration_of(TimeInForce force) {
  return force == TimeInForce::gtc ? "gtc" : "day";
}

}  // namespace

std::string form_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                       c == '-' || c == '_' || c == '.';
    if (plain) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

Result<std::string> to_tradier(const OrderRequest& request) {
  const std::string& tag = request.client_id.value;
  const bool keepable = !tag.empty() && tag.size() <= 255 && std::ranges::all_of(tag, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-';
  });
  if (!keepable) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("tradier: client order id '{}' must be 1 to 255 letters, digits and -",
                            tag.substr(0, 64)));
  }
  if (request.time_in_force == TimeInForce::ioc) {
    return fail(ErrorCode::invalid_argument, "tradier: time_in_force must be day or gtc, got ioc");
  }
  std::string form = fmt::format(
      "class=equity&symbol={}&side={}&quantity={}&type={}&duration={}&tag={}",
      form_encoded(request.symbol.ticker()), to_string(request.side), request.quantity.to_string(),
      to_string(request.type), duration_of(request.time_in_force), form_encoded(tag));
  if (request.limit_price) form += "&price=" + request.limit_price->to_string();
  if (request.stop_price) form += "&stop=" + request.stop_price->to_string();
  return form;
}

OrderStatus tradier_status(std::string_view status) noexcept {
  if (status == "partially_filled") return OrderStatus::partial;
  if (status == "filled") return OrderStatus::filled;
  if (status == "expired") return OrderStatus::expired;
  if (status == "canceled") return OrderStatus::cancelled;
  if (status == "rejected" || status == "error") return OrderStatus::rejected;
  return OrderStatus::new_order;  // ok, pending, open, held, calculated, accepted_for_bidding
}

Result<Order> read_tradier_order(const json::value& body, const SymbolLookup& lookup) {
  Order order;
  order.id.value = text(body, "id");
  const std::string symbol = text(body, "symbol");
  const std::string status = text(body, "status");
  if (order.id.value.empty() || symbol.empty() || status.empty()) {
    return std::unexpected(unreadable("order"));
  }
  OrderRequest& request = order.request;
  request.client_id.value = text(body, "tag");
  request.symbol = lookup(symbol, "");
  const std::string side = text(body, "side");
  request.side = side.starts_with("sell") ? Side::sell : Side::buy;
  request.type = parse_order_type(text(body, "type")).value_or(OrderType::market);
  request.time_in_force = text(body, "duration") == "gtc" ? TimeInForce::gtc : TimeInForce::day;
  request.quantity = Quantity(number(body, "quantity"));
  if (field(body, "price") != nullptr) request.limit_price = Price(number(body, "price"));
  if (field(body, "stop_price") != nullptr) request.stop_price = Price(number(body, "stop_price"));
  order.status = tradier_status(status);
  order.filled = Quantity(number(body, "exec_quantity"));
  order.average_price = Price(number(body, "avg_fill_price"));
  order.created = from_rfc3339(text(body, "create_date")).value_or(UnixNanos{});
  order.updated = from_rfc3339(text(body, "transaction_date")).value_or(order.created);
  order.reason = text(body, "reason_description");
  return order;
}

Result<std::vector<Order>> read_tradier_orders(const json::value& body,
                                               const SymbolLookup& lookup) {
  const auto all = entries(body, "orders", "order");
  if (!all) return std::unexpected(unreadable("list of orders"));
  std::vector<Order> orders;
  for (const json::value* one : *all) {
    const std::string kind = text(*one, "class");
    if (!kind.empty() && kind != "equity") continue;  // options and such: not ours
    Result<Order> order = read_tradier_order(*one, lookup);
    if (!order) return std::unexpected(order.error());
    orders.push_back(std::move(*order));
  }
  return orders;
}

std::vector<std::string> tradier_order_ids(const json::value& body) {
  std::vector<std::string> ids;
  for (const json::value* one :
       entries(body, "orders", "order").value_or(std::vector<const json::value*>())) {
    ids.push_back(text(*one, "id"));
  }
  return ids;
}

Result<BrokerAccount> read_tradier_balances(const json::value& body) {
  const json::value* balances = field(body, "balances");
  if (balances == nullptr || text(*balances, "account_number").empty()) {
    return std::unexpected(unreadable("balances"));
  }
  BrokerAccount account;
  account.id = text(*balances, "account_number");
  account.status = "ACTIVE";
  account.cash = Money(number(*balances, "total_cash"));
  account.equity = Money(number(*balances, "total_equity"));
  account.buying_power = account.cash;
  for (const auto& [kind, key] :
       {std::pair{"cash", "cash_available"}, std::pair{"margin", "stock_buying_power"},
        std::pair{"pdt", "stock_buying_power"}}) {
    const json::value* part = field(*balances, kind);
    if (part != nullptr && field(*part, key) != nullptr) {
      account.buying_power = Money(number(*part, key));
    }
  }
  return account;
}

Result<std::vector<BrokerPosition>> read_tradier_positions(const json::value& body,
                                                           const SymbolLookup& lookup) {
  const auto all = entries(body, "positions", "position");
  if (!all) return std::unexpected(unreadable("list of positions"));
  std::vector<BrokerPosition> positions;
  for (const json::value* one : *all) {
    const Quantity quantity(number(*one, "quantity"));
    if (text(*one, "symbol").empty() || quantity.is_zero()) continue;
    BrokerPosition position;
    position.symbol = lookup(text(*one, "symbol"), "");
    position.quantity = quantity;
    position.average_cost = Price((number(*one, "cost_basis") / quantity.value()).absolute());
    position.mark = position.average_cost;
    positions.push_back(std::move(position));
  }
  return positions;
}

std::vector<std::pair<std::string, Price>> read_tradier_quotes(const json::value& body) {
  std::vector<std::pair<std::string, Price>> prices;
  for (const json::value* one :
       entries(body, "quotes", "quote").value_or(std::vector<const json::value*>())) {
    const Price last(number(*one, "last"));
    if (last.is_positive()) prices.emplace_back(text(*one, "symbol"), last);
  }
  return prices;
}

std::string tradier_errors(const json::value& body) {
  std::string all;
  if (const json::value* errors = field(body, "errors")) {
    const json::value* error = field(*errors, "error");
    if (error != nullptr && error->is_string()) return std::string(error->get_string());
    if (error != nullptr && error->is_array()) {
      for (const json::value& one : error->get_array()) {
        if (!one.is_string()) continue;
        if (!all.empty()) all += "; ";
        all += std::string_view(one.get_string());
      }
    }
  } else if (const json::value* fault = field(body, "fault")) {
    all = text(*fault, "faultstring");
  }
  return all;
}

}  // namespace alphaswarm::trading
