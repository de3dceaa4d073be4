#pragma once

// Alpaca's market data: bars of the past by REST, bars as they end by a WebSocket. Sources:
// Alpaca's documentation, "Historical bars" and "WebSocket Stream" of market data API v2.

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "alphaswarm/net/http_client.hpp"
#include "alphaswarm/net/websocket_client.hpp"
#include "alphaswarm/trading/broker/venue_client.hpp"
#include "alphaswarm/trading/market/types.hpp"

namespace alphaswarm::trading {

struct AlpacaDataConfig {
  std::string base_url;      // "https://data.alpaca.markets" or the simulated exchange
  std::string stream_url;    // "wss://stream.data.alpaca.markets"; ws:// is allowed
  std::string feed = "iex";  // "iex", "sip": what the subscription allows
  std::string key_id, secret_key;
  RetryPolicy retry;
  RateLimit rate_limit{.per_second = 200.0 / 60, .burst = 20};  // Alpaca's: 200 a minute
  std::chrono::milliseconds timeout{10'000};
  Waiting waiting;
  net::WebSocketClientConfig websocket;
};

// A bar as Alpaca names it: by its ticker, without an exchange.
struct TickerBar {
  std::string ticker;
  Bar bar;
};

// The bars of a subscription, from when it was confirmed. Used by one task.
class AlpacaBarStream {
 public:
  explicit AlpacaBarStream(net::WebSocket socket) : socket_(std::move(socket)) {}
  // The next message that carries bars; a message may carry many. nullopt: closed in good order.
  // After an error the stream is over: open another, and ask for what it missed.
  net::task<Result<std::optional<std::vector<TickerBar>>>> next();
  net::task<void> close() { co_await socket_.close(); }

 private:
  net::WebSocket socket_;
};

// Thread-safe.
class AlpacaData {
 public:
  // `http` MUST outlive this object.
  AlpacaData(AlpacaDataConfig config, net::HttpClient& http);

  struct Page {
    std::vector<TickerBar> bars;  // by ticker, then time
    std::string next;             // token of the next page; empty: this is the last
  };
  struct PageQuery {
    std::vector<std::string> tickers;
    Interval interval = Interval::minute;
    UnixNanos start, end;  // both included
    std::string token;     // of an earlier page
  };
  // Errors as Broker: unavailable after the last try, unauthenticated, invalid_argument, data_loss.
  net::task<Result<Page>> bars(PageQuery query);

  // Minute bars of these tickers. Errors: unauthenticated for refused credentials,
  // resource_exhausted while another connection of the account holds its place, permission_denied
  // for a feed the subscription does not include, else unavailable.
  net::task<Result<AlpacaBarStream>> stream(std::vector<std::string> tickers);

  [[nodiscard]] const AlpacaDataConfig& config() const noexcept { return config_; }

 private:
  const AlpacaDataConfig config_;
  VenueClient client_;
};

// How long an interval lasts; a month counts as 31 days, so that a bar is complete after it.
[[nodiscard]] std::int64_t longest_ns(Interval interval) noexcept;

}  // namespace alphaswarm::trading
