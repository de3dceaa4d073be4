#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "alphaswarm/base/error.hpp"
#include "alphaswarm/net/http.hpp"
#include "alphaswarm/net/http_client.hpp"
#include "alphaswarm/net/runtime.hpp"
#include "alphaswarm/net/websocket.hpp"

namespace alphaswarm::net {

struct WebSocketClientConfig {
  std::chrono::milliseconds connect_timeout{5'000};  // until the upgrade is done
  std::chrono::milliseconds ping_interval{20'000};   // a silent peer is asked, then left
  std::chrono::milliseconds write_timeout{30'000};
  std::size_t max_message_bytes = 1U << 20;
  TlsClientConfig tls{};
  HttpClientObserver* observer = nullptr;  // sees the upgrade request as a GET
};

// Connects to a ws:// or wss:// URL. unavailable if the peer is away or refuses the upgrade (the
// message gives its status); invalid_argument for the URL.
task<Result<WebSocket>> connect_websocket(std::string url, Headers headers = {},
                                          WebSocketClientConfig config = {});

}  // namespace alphaswarm::net
