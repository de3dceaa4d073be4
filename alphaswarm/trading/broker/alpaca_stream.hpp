#pragma once

#include "alphaswarm/net/websocket_client.hpp"
#include "alphaswarm/trading/broker/alpaca_json.hpp"

namespace alphaswarm::trading {

struct StreamConfig {
  std::string venue;
  std::string base_url;  // http(s)://…: the stream is at ws(s)://…/stream
  std::string key_id, secret_key;
  net::WebSocketClientConfig websocket;
};

// Connects, authenticates and listens to trade_updates: what happens to an order after this
// returned is told. unauthenticated if the venue does not know the key. `lookup` is used for as
// long as the stream lives.
[[nodiscard]] net::task<Result<std::unique_ptr<OrderUpdateStream>>> open_alpaca_stream(
    StreamConfig config, SymbolLookup lookup);

}  // namespace alphaswarm::trading
