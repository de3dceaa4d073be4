#pragma once

// Our orders, accounts and positions in the JSON shapes of Alpaca's trading API, and back. Prices
// and quantities are texts with every digit, as Alpaca sends them, so nothing is rounded on the
// way. Source: docs.alpaca.markets (Trading API reference) and what alpaca-py 0.44 requires.

#include <boost/json/object.hpp>
#include <expected>
#include <string>
#include <string_view>

#include "alphaswarm/trading/market/portfolio.hpp"
#include "alphaswarm/trading/market/types.hpp"
#include "alphaswarm/trading/matching/engine.hpp"

namespace alphaswarm::trading::exchange {

// A refusal as Alpaca words it: HTTP status and the JSON body {"code", "message"}.
struct ApiError {
  int status;
  int code;
  std::string message;
};
template <class T = void>
using ApiResult = std::expected<T, ApiError>;

// Alpaca's codes: five digits after the HTTP status it resembles.
[[nodiscard]] std::unexpected<ApiError> unauthorized();
[[nodiscard]] std::unexpected<ApiError> forbidden(std::string message);
[[nodiscard]] std::unexpected<ApiError> missing(std::string message);
[[nodiscard]] std::unexpected<ApiError> not_opened();                        // 404, of an account
[[nodiscard]] std::unexpected<ApiError> unprocessable(std::string message);  // malformed input
[[nodiscard]] std::unexpected<ApiError> wrong_state(std::string message);    // 422, 42210000
[[nodiscard]] std::string to_body(const ApiError& error);

// "partially_filled", "canceled", …: Alpaca's word for a status.
[[nodiscard]] std::string_view alpaca_status(OrderStatus status) noexcept;

[[nodiscard]] boost::json::object order_json(const Order& order);
// `available` is what open orders leave of it.
[[nodiscard]] boost::json::object position_json(const Position& position, Quantity available);
// `last_equity` is the equity at the end of the previous day's bar.
[[nodiscard]] boost::json::object account_json(std::string_view key_id,
                                               const MatchingEngine& engine, Money last_equity);
[[nodiscard]] boost::json::object asset_json(const VtSymbol& symbol, bool shortable);
// The `data` of a trade_updates message; `position` is the quantity held after it.
[[nodiscard]] boost::json::object update_json(const OrderUpdate& update, Quantity position,
                                              std::string_view execution_id);
// What an update of an order is called on the stream; "new" for one that was just accepted.
[[nodiscard]] std::string_view event_name(OrderEvent event) noexcept;

// The body of POST /v2/orders. `symbol` is what the body says: the caller finds the listed one.
struct OrderBody {
  std::string symbol;
  OrderRequest request;  // its symbol is not set; a missing client id is made up
};
[[nodiscard]] ApiResult<OrderBody> parse_order(std::string_view body);

// {"t": RFC 3339, "o", "h", "l", "c", "v"} with numbers or decimal texts, as Alpaca's bars.
[[nodiscard]] ApiResult<Bar> parse_bar(const boost::json::value& value);
// As the market data API has it, with numbers: t, o, h, l, c, v, n and vw. A bar's trades are not
// known here: n is 1, and vw the close.
[[nodiscard]] boost::json::object market_bar_json(const Bar& bar);
// A JSON number or a decimal text.
[[nodiscard]] Result<Decimal> to_decimal(const boost::json::value& value);

}  // namespace alphaswarm::trading::exchange
