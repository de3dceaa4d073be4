#include "alphaswarm/trading/broker/alpaca_json.hpp"

#include <fmt/format.h>

namespace alphaswarm::trading {

namespace json = boost::json;

namespace {

// A missing or malformed field, thrown within this file only: it keeps the readers short.
struct Malformed {
  std::string what;
};

const json::object& object_of(const json::value& value, std::string_view what) {
  if (const json::object* object = value.if_object()) return *object;
  throw Malformed{fmt::format("{} is not an object", what)};
}

const json::value* find(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value == nullptr || value->is_null() ? nullptr : value;
}

std::string text(const json::object& object, std::string_view key, bool required = false) {
  const json::value* value = find(object, key);
  if (value != nullptr && value->is_string()) return std::string(value->get_string());
  if (required) throw Malformed{fmt::format("{} is missing", key)};
  return {};
}

// Alpaca gives fractions of shares nine places: what is beyond our eight is rounded half away from
// zero.
Result<Decimal> parse_rounded(std::string_view text) {
  const std::size_t point = text.find('.');
  const std::string_view places = point == text.npos ? "" : text.substr(point + 1);
  if (places.size() <= 8 || places.find_first_not_of("0123456789") != places.npos) {
    return Decimal::parse(text);
  }
  const Result<Decimal> cut = Decimal::parse(text.substr(0, point + 9));
  if (!cut || places[8] < '5') return cut;
  return *cut + Decimal::from_units(text.starts_with('-') ? -1 : 1);
}

std::optional<Decimal> decimal(const json::object& object, std::string_view key) {
  const json::value* value = find(object, key);
  if (value == nullptr) return std::nullopt;
  if (value->is_number()) return Decimal::from_double(value->to_number<double>());
  if (!value->is_string()) throw Malformed{fmt::format("{} is not a number", key)};
  if (value->get_string().empty()) return std::nullopt;
  const Result<Decimal> number = parse_rounded(value->get_string());
  if (!number) throw Malformed{fmt::format("{}: {}", key, number.error().message)};
  return *number;
}

UnixNanos time(const json::object& object, std::string_view key) {
  return from_rfc3339(text(object, key)).value_or(UnixNanos{});
}

// Words we cannot act on differently become the nearest we have.
template <class T>
T word(const Result<T>& parsed) {
  if (!parsed) throw Malformed{parsed.error().message};
  return *parsed;
}

Order order_of(const json::object& object, const SymbolLookup& lookup) {
  Order order;
  order.id.value = text(object, "id", true);
  OrderRequest& request = order.request;
  request.client_id.value = text(object, "client_order_id", true);
  request.symbol = lookup(text(object, "symbol", true), text(object, "exchange"));
  request.side = word(parse_side(text(object, "side", true)));
  request.type = word(parse_order_type(text(object, "type", true)));
  request.time_in_force =
      parse_time_in_force(text(object, "time_in_force")).value_or(TimeInForce::day);
  request.quantity = Quantity(decimal(object, "qty").value_or(Decimal()));
  if (const auto limit = decimal(object, "limit_price")) request.limit_price = Price(*limit);
  if (const auto stop = decimal(object, "stop_price")) request.stop_price = Price(*stop);
  const std::string status = text(object, "status", true);
  order.status = word(parse_order_status(status));
  if (status == "done_for_day" && request.time_in_force != TimeInForce::day) {
    order.status = OrderStatus::new_order;  // until the next trading day
  }
  order.filled = Quantity(decimal(object, "filled_qty").value_or(Decimal()));
  const bool part_filled = order.filled.is_positive() && order.filled < request.quantity;
  if (order.status == OrderStatus::new_order && part_filled) order.status = OrderStatus::partial;
  order.average_price = Price(decimal(object, "filled_avg_price").value_or(Decimal()));
  order.created = time(object, "created_at");
  order.updated = time(object, "updated_at");
  order.reason = text(object, "status_reason");
  return order;
}

template <class Read>
auto guarded(std::string_view what, Read read) -> Result<decltype(read())> {
  try {
    return read();
  } catch (const Malformed& malformed) {
    return fail(ErrorCode::data_loss,
                fmt::format("the venue's {} cannot be read: {}", what, malformed.what));
  }
}

}  // namespace

json::object to_alpaca(const OrderRequest& request, std::string_view symbol) {
  json::object body{{"client_order_id", request.client_id.value},
                    {"symbol", symbol},
                    {"side", to_string(request.side)},
                    {"type", to_string(request.type)},
                    {"time_in_force", to_string(request.time_in_force)},
                    {"qty", request.quantity.to_string()}};
  if (request.limit_price) body["limit_price"] = request.limit_price->to_string();
  if (request.stop_price) body["stop_price"] = request.stop_price->to_string();
  return body;
}

json::object to_alpaca(const SymbolBar& one) {
  return {{"symbol", one.symbol.text()},    {"t", to_rfc3339(one.bar.timestamp)},
          {"o", one.bar.open.to_string()},  {"h", one.bar.high.to_string()},
          {"l", one.bar.low.to_string()},   {"c", one.bar.close.to_string()},
          {"v", one.bar.volume.to_string()}};
}

Result<Order> read_order(const json::value& body, const SymbolLookup& lookup) {
  return guarded("order", [&] { return order_of(object_of(body, "it"), lookup); });
}

Result<BrokerAccount> read_account(const json::value& body) {
  return guarded("account", [&] {
    const json::object& object = object_of(body, "it");
    return BrokerAccount{text(object, "id", true), text(object, "status"),
                         Money(decimal(object, "cash").value_or(Decimal())),
                         Money(decimal(object, "equity").value_or(Decimal())),
                         Money(decimal(object, "buying_power").value_or(Decimal()))};
  });
}

Result<BrokerPosition> read_position(const json::value& body, const SymbolLookup& lookup) {
  return guarded("position", [&] {
    const json::object& object = object_of(body, "it");
    const auto quantity = decimal(object, "qty");
    if (!quantity) throw Malformed{"qty is missing"};
    // Some servers say the size and the side apart, Alpaca gives shorts a minus as well.
    const bool is_short = text(object, "side") == "short";
    const Decimal size = quantity->absolute();
    const bool negative = is_short || quantity->units() < 0;
    return BrokerPosition{lookup(text(object, "symbol", true), text(object, "exchange")),
                          Quantity(negative ? -size : size),
                          Price(decimal(object, "avg_entry_price").value_or(Decimal())),
                          Price(decimal(object, "current_price").value_or(Decimal()))};
  });
}

Result<BrokerUpdate> read_update(const json::value& body, const SymbolLookup& lookup) {
  return guarded("order update", [&] {
    const json::object& object = object_of(body, "it");
    BrokerUpdate update;
    update.event = text(object, "event", true);
    const json::value* order = find(object, "order");
    if (order == nullptr) throw Malformed{"order is missing"};
    update.order = order_of(object_of(*order, "order"), lookup);
    if (update.event != "fill" && update.event != "partial_fill") return update;
    const auto price = decimal(object, "price");
    const auto quantity = decimal(object, "qty");
    if (!price || !quantity) throw Malformed{"a fill without price or qty"};
    update.execution_id = text(object, "execution_id");
    const OrderRequest& request = update.order.request;
    update.fill = Fill{.client_id = request.client_id,
                       .order_id = update.order.id,
                       .symbol = request.symbol,
                       .side = request.side,
                       .quantity = Quantity(*quantity),
                       .price = Price(*price),
                       .commission = Money(decimal(object, "commission").value_or(Decimal())),
                       .time = time(object, "timestamp")};
    return update;
  });
}

Result<Bar> read_bar(const json::value& body) {
  return guarded("bar", [&] {
    const json::object& object = object_of(body, "it");
    Bar bar;
    bar.timestamp = word(from_rfc3339(text(object, "t", true)));
    const auto price = [&object](std::string_view key) {
      const auto value = decimal(object, key);
      if (!value) throw Malformed{fmt::format("{} is missing", key)};
      return Price(*value);
    };
    bar.open = price("o");
    bar.high = price("h");
    bar.low = price("l");
    bar.close = price("c");
    bar.volume = Quantity(decimal(object, "v").value_or(Decimal()));
    return bar;
  });
}

}  // namespace alphaswarm::trading
