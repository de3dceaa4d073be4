#include <fmt/format.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "alphaswarm/base/ids.hpp"
#include "alphaswarm/trading/exchange/shapes.hpp"

namespace alphaswarm::trading::exchange {

namespace json = boost::json;

namespace {

constexpr std::size_t kMaxClientIdSize = 128;  // Alpaca's bound

ApiResult<std::string> text_field(const json::object& body, std::string_view key, bool required) {
  const json::value* value = body.if_contains(key);
  if (value == nullptr || value->is_null()) {
    if (!required) return std::string();
    return unprocessable(fmt::format("{} is required", key));
  }
  if (!value->is_string()) return unprocessable(fmt::format("{} must be text", key));
  return std::string(value->get_string());
}

ApiResult<std::optional<Decimal>> decimal_field(const json::object& body, std::string_view key) {
  const json::value* value = body.if_contains(key);
  if (value == nullptr || value->is_null()) return std::nullopt;
  const Result<Decimal> number = to_decimal(*value);
  if (!number) {
    return unprocessable(
        fmt::format("invalid {} {}: {}", key, json::serialize(*value), number.error().message));
  }
  return *number;
}

// The words of the order: side, type, time in force, and what the exchange does not offer.
ApiResult<void> parse_words(const json::object& body, OrderRequest& request) {
  const auto side_text = text_field(body, "side", true);
  if (!side_text) return std::unexpected(side_text.error());
  const Result<Side> side = parse_side(*side_text);
  if (!side) return unprocessable(side.error().message);
  const auto type_text = text_field(body, "type", true);
  if (!type_text) return std::unexpected(type_text.error());
  const Result<OrderType> type = parse_order_type(*type_text);
  if (!type) return unprocessable(type.error().message);
  const auto force_text = text_field(body, "time_in_force", true);
  if (!force_text) return std::unexpected(force_text.error());
  const Result<TimeInForce> force = parse_time_in_force(*force_text);
  if (!force) return unprocessable(force.error().message);
  const auto order_class = text_field(body, "order_class", false);
  if (!order_class) return std::unexpected(order_class.error());
  if (!order_class->empty() && *order_class != "simple") {
    return unprocessable(fmt::format("order_class \"{}\" is not offered here", *order_class));
  }
  if (const json::value* notional = body.if_contains("notional");
      notional != nullptr && !notional->is_null()) {
    return unprocessable("notional orders are not offered here: give qty");
  }
  request.side = *side;
  request.type = *type;
  request.time_in_force = *force;
  return {};
}

ApiResult<void> parse_numbers(const json::object& body, OrderRequest& request) {
  const auto quantity = decimal_field(body, "qty");
  if (!quantity) return std::unexpected(quantity.error());
  if (!*quantity) return unprocessable("qty is required");
  request.quantity = Quantity(**quantity);
  const auto limit = decimal_field(body, "limit_price");
  if (!limit) return std::unexpected(limit.error());
  if (*limit) request.limit_price = Price(**limit);
  const auto stop = decimal_field(body, "stop_price");
  if (!stop) return std::unexpected(stop.error());
  if (*stop) request.stop_price = Price(**stop);
  return {};
}

}  // namespace

Result<Decimal> to_decimal(const json::value& value) {
  if (value.is_string()) return Decimal::parse(value.get_string());
  if (value.is_int64()) return Decimal::parse(std::to_string(value.get_int64()));
  if (value.is_number()) return Decimal::from_double(value.to_number<double>());
  return fail(ErrorCode::invalid_argument, "must be a number or a decimal text");
}

ApiResult<OrderBody> parse_order(std::string_view body) {
  boost::system::error_code malformed;
  const json::value parsed = json::parse(body, malformed);
  if (malformed || !parsed.is_object()) {
    return std::unexpected(ApiError{400, 40010000, "request body must be a JSON object"});
  }
  const json::object& object = parsed.get_object();
  OrderBody order;
  auto symbol = text_field(object, "symbol", true);
  if (!symbol) return std::unexpected(symbol.error());
  order.symbol = std::move(*symbol);
  auto client_id = text_field(object, "client_order_id", false);
  if (!client_id) return std::unexpected(client_id.error());
  if (client_id->size() > kMaxClientIdSize) {
    return unprocessable(
        fmt::format("client_order_id must have at most {} characters", kMaxClientIdSize));
  }
  order.request.client_id.value = client_id->empty() ? random_uuid() : std::move(*client_id);
  if (auto words = parse_words(object, order.request); !words) {
    return std::unexpected(words.error());
  }
  if (auto numbers = parse_numbers(object, order.request); !numbers) {
    return std::unexpected(numbers.error());
  }
  return order;
}

ApiResult<Bar> parse_bar(const json::value& value) {
  const json::object* object = value.if_object();
  if (object == nullptr) return unprocessable("bar must be an object with t, o, h, l, c and v");
  const auto time_text = text_field(*object, "t", true);
  if (!time_text) return std::unexpected(time_text.error());
  const Result<UnixNanos> time = from_rfc3339(*time_text);
  if (!time) return unprocessable(time.error().message);
  Decimal numbers[5];
  const char* keys[5] = {"o", "h", "l", "c", "v"};
  for (int i = 0; i < 5; ++i) {
    const auto number = decimal_field(*object, keys[i]);
    if (!number) return std::unexpected(number.error());
    if (!*number) return unprocessable(fmt::format("bar: {} is required", keys[i]));
    if ((*number)->units() < 0) return unprocessable(fmt::format("bar: {} is negative", keys[i]));
    numbers[i] = **number;
  }
  const Bar bar{*time,
                Price(numbers[0]),
                Price(numbers[1]),
                Price(numbers[2]),
                Price(numbers[3]),
                Quantity(numbers[4])};
  if (bar.high < bar.low || bar.open > bar.high || bar.open < bar.low || bar.close > bar.high ||
      bar.close < bar.low) {
    return unprocessable("bar: open and close must lie between low and high");
  }
  return bar;
}

}  // namespace alphaswarm::trading::exchange
