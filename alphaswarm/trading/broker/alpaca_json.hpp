#pragma once

// What Alpaca's trading API sends, read into our types. Everything is optional to a reader but
// what our own logic rests on; that missing is data_loss with the field's name.

#include <boost/json/object.hpp>
#include <functional>
#include <string_view>

#include "alphaswarm/trading/broker/broker.hpp"

namespace alphaswarm::trading {

// Finds the full symbol of what the venue calls `symbol` at `exchange` (may be empty).
using SymbolLookup = std::function<VtSymbol(std::string_view symbol, std::string_view exchange)>;

[[nodiscard]] boost::json::object to_alpaca(const OrderRequest& request, std::string_view symbol);
// {"symbol", "t", "o", "h", "l", "c", "v"}, exact: read_bar gives the same bar again.
[[nodiscard]] boost::json::object to_alpaca(const SymbolBar& one);
[[nodiscard]] Result<Order> read_order(const boost::json::value& body, const SymbolLookup& lookup);
[[nodiscard]] Result<BrokerAccount> read_account(const boost::json::value& body);
[[nodiscard]] Result<BrokerPosition> read_position(const boost::json::value& body,
                                                   const SymbolLookup& lookup);
// The `data` of a trade_updates message.
[[nodiscard]] Result<BrokerUpdate> read_update(const boost::json::value& body,
                                               const SymbolLookup& lookup);

// A bar of the market data API: {"t", "o", "h", "l", "c", "v"}, from REST or from the stream.
[[nodiscard]] Result<Bar> read_bar(const boost::json::value& body);

}  // namespace alphaswarm::trading
