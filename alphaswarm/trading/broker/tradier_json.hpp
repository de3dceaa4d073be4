#pragma once

// What Tradier's brokerage API sends, read into our types. Source: documentation.tradier.com,
// "Accounts" and "Trading". Its lists are an object when they hold one entry and the text "null"
// when they are empty.

#include <boost/json/value.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "alphaswarm/trading/broker/alpaca_json.hpp"

namespace alphaswarm::trading {

// The form of POST /v1/accounts/{id}/orders. Errors: invalid_argument for what Tradier has no word
// for (ioc) and client ids it would not keep as a tag (letters, digits and - only, at most 255).
[[nodiscard]] Result<std::string> to_tradier(const OrderRequest& request);

// pending, open, partially_filled, filled, expired, canceled, rejected, error …
[[nodiscard]] OrderStatus tradier_status(std::string_view status) noexcept;
// An order's object; one without a tag has an empty client id.
[[nodiscard]] Result<Order> read_tradier_order(const boost::json::value& body,
                                               const SymbolLookup& lookup);
// {"orders": {"order": […]}}, equity orders only.
[[nodiscard]] Result<std::vector<Order>> read_tradier_orders(const boost::json::value& body,
                                                             const SymbolLookup& lookup);
// {"balances": {…}}
// Of all orders in the list, also those that read_tradier_orders leaves out.
[[nodiscard]] std::vector<std::string> tradier_order_ids(const boost::json::value& body);
[[nodiscard]] Result<BrokerAccount> read_tradier_balances(const boost::json::value& body);
// {"positions": {"position": […]}}; the marks are not in it: they are set to the average cost.
[[nodiscard]] Result<std::vector<BrokerPosition>> read_tradier_positions(
    const boost::json::value& body, const SymbolLookup& lookup);
// {"quotes": {"quote": […]}}: last prices by ticker.
[[nodiscard]] std::vector<std::pair<std::string, Price>> read_tradier_quotes(
    const boost::json::value& body);
// {"errors": {"error": text or list}} or {"fault": {"faultstring"}}; empty if it is neither.
[[nodiscard]] std::string tradier_errors(const boost::json::value& body);

[[nodiscard]] std::string form_encoded(std::string_view text);

}  // namespace alphaswarm::trading
