#pragma once

#include "alphaswarm/net/http.hpp"
#include "alphaswarm/net/websocket.hpp"
#include "alphaswarm/trading/exchange/accounts.hpp"

namespace alphaswarm::trading::exchange {

// One connection of the data stream, /v2/{feed}, as Alpaca's (its documentation, "WebSocket
// Stream"): the account's own bars, each right after the market has moved by it. JSON, or
// MessagePack for who asks for it with a Content-Type, as alpaca-py does.
[[nodiscard]] net::task<void> serve_data_stream(Accounts& accounts, const net::HttpRequest& request,
                                                net::WebSocket& socket);

}  // namespace alphaswarm::trading::exchange
