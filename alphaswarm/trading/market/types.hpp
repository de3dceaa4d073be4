#pragma once

// The words of the market: sides, order types, symbols, bars, orders and fills.

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "alphaswarm/base/error.hpp"
#include "alphaswarm/base/time.hpp"
#include "alphaswarm/trading/market/amounts.hpp"

namespace alphaswarm::trading {

enum class Side : std::uint8_t { buy, sell };
enum class OrderType : std::uint8_t { market, limit, stop, stop_limit };
// day: until the end of the first day it meets; gtc: until cancelled; ioc: at the next open or
// never.
enum class TimeInForce : std::uint8_t { day, gtc, ioc };
// submitting: not yet answered by the venue. filled, cancelled, rejected and expired are final.
enum class OrderStatus : std::uint8_t {
  submitting,
  new_order,  // "new"
  partial,
  filled,
  cancelled,
  rejected,
  expired,
};
enum class Interval : std::uint8_t { minute, hour, day, week, month };

[[nodiscard]] std::string_view to_string(Side) noexcept;
[[nodiscard]] std::string_view to_string(OrderType) noexcept;
[[nodiscard]] std::string_view to_string(TimeInForce) noexcept;
[[nodiscard]] std::string_view to_string(OrderStatus) noexcept;
[[nodiscard]] std::string_view to_string(Interval) noexcept;  // "1m", "1h", "1d", "1w", "1mo"

// Errors are invalid_argument and name the word and what is allowed.
[[nodiscard]] Result<Side> parse_side(std::string_view text);
[[nodiscard]] Result<OrderType> parse_order_type(std::string_view text);
[[nodiscard]] Result<TimeInForce> parse_time_in_force(std::string_view text);
// Our words, and those of Alpaca's API that mean the same ("partially_filled", "canceled", …).
[[nodiscard]] Result<OrderStatus> parse_order_status(std::string_view text);
[[nodiscard]] Result<Interval> parse_interval(std::string_view text);

[[nodiscard]] constexpr bool is_final(OrderStatus status) noexcept {
  return status >= OrderStatus::filled;
}
[[nodiscard]] constexpr Side opposite(Side side) noexcept {
  return side == Side::buy ? Side::sell : Side::buy;
}
// Bars of that interval in one year of a US stock exchange: 252 days of 6.5 hours; 52 weeks.
[[nodiscard]] double bars_per_year(Interval interval) noexcept;

// A tradable thing as `TICKER.EXCHANGE`; the exchange is what follows the last point, so tickers
// may hold points ("BRK.B.NYSE"). Letters, digits and -_^=/ only, at most 32 characters.
class VtSymbol {
 public:
  VtSymbol() = default;
  [[nodiscard]] static Result<VtSymbol> parse(std::string_view text);

  [[nodiscard]] const std::string& text() const noexcept { return text_; }
  [[nodiscard]] std::string_view ticker() const noexcept;
  [[nodiscard]] std::string_view exchange() const noexcept;
  [[nodiscard]] bool empty() const noexcept { return text_.empty(); }
  friend auto operator<=>(const VtSymbol&, const VtSymbol&) = default;

 private:
  explicit VtSymbol(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

// Trading over one interval. The timestamp is the interval's start, UTC; the bar is complete.
struct Bar {
  UnixNanos timestamp;
  Price open, high, low, close;
  Quantity volume;
  friend bool operator==(const Bar&, const Bar&) = default;
};

struct SymbolBar {
  VtSymbol symbol;
  Bar bar;
};

// Chosen by the client before it submits; at most one order has it, however often it is sent.
struct ClientOrderId {
  std::string value;
  friend auto operator<=>(const ClientOrderId&, const ClientOrderId&) = default;
};
// Given by the venue.
struct OrderId {
  std::string value;
  friend auto operator<=>(const OrderId&, const OrderId&) = default;
};

struct OrderRequest {
  ClientOrderId client_id;
  VtSymbol symbol;
  Side side = Side::buy;
  OrderType type = OrderType::market;
  TimeInForce time_in_force = TimeInForce::day;
  Quantity quantity;                   // > 0
  std::optional<Price> limit_price{};  // for limit and stop_limit
  std::optional<Price> stop_price{};   // for stop and stop_limit
};

// One sentence if the request is malformed: no client id or symbol, quantity not positive, a price
// that is missing, superfluous or not positive.
[[nodiscard]] Result<void> validate(const OrderRequest& request);

struct Order {
  OrderId id;
  OrderRequest request;
  OrderStatus status = OrderStatus::submitting;
  Quantity filled;
  Price average_price;  // of what is filled, without commission; 0 before the first fill
  UnixNanos created, updated;
  std::string reason;  // why it was rejected or cancelled
};

struct Fill {
  ClientOrderId client_id;
  OrderId order_id;
  VtSymbol symbol;
  Side side = Side::buy;
  Quantity quantity;  // > 0
  Price price;        // with slippage
  Money commission;   // ≥ 0
  UnixNanos time;     // the bar's timestamp
};

}  // namespace alphaswarm::trading
