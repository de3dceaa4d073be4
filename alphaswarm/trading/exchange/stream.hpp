#pragma once

#include "alphaswarm/net/websocket.hpp"
#include "alphaswarm/trading/exchange/accounts.hpp"

namespace alphaswarm::trading::exchange {

// One /stream connection, from authentication to its end (see alpaca.markets, "Websocket
// Streaming"): the client authenticates, then listens to trade_updates.
[[nodiscard]] net::task<void> serve_stream(Accounts& accounts, net::WebSocket& socket);

}  // namespace alphaswarm::trading::exchange
