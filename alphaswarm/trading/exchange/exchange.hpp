#pragma once

// The simulated exchange: an HTTP server with Alpaca's trading API, its trade_updates stream, its
// bars and their stream, so that any client of Alpaca works against it, and a few routes of its own
// under /sim/v1 that move its market:
//
//   POST   /sim/v1/account   opens the caller's account with terms of its own (see parse_open)
//                            → {"created", "last_bar_index", "account"}
//   DELETE /sim/v1/account   the caller is done with it; 204
//   POST   /sim/v1/advance   the next bars (see Account::advance) → {"bar_index", "updates": [what
//                            trade_updates carries], "account": {"cash", "equity", "buying_power"}}
//   DELETE /sim/v1/streams   cuts the caller's streams, as an outage would; 204
//   GET, POST /sim/v1/faults trouble on purpose (see FaultSettings)
//   GET    /health
//
// Every caller names its account by APCA-API-KEY-ID; any secret will do, but there must be one.
// Errors are {"code", "message"} as Alpaca's.

#include <cstdint>
#include <memory>
#include <string>

#include "alphaswarm/net/http_server.hpp"
#include "alphaswarm/trading/exchange/accounts.hpp"
#include "alphaswarm/trading/exchange/faults.hpp"

namespace alphaswarm::trading::exchange {

struct ExchangeConfig {
  std::string address = "127.0.0.1";
  std::uint16_t port = 8100;  // 0: any free one
  MatchingConfig matching;    // of accounts that do not ask for other terms
  AccountBounds bounds;
  std::size_t max_accounts = 64;
  FaultSettings faults;
  net::HttpServerObserver* observer = nullptr;  // MUST outlive the exchange
};

class Exchange {
 public:
  // Errors as net::HttpServer::start, and invalid_argument for impossible matching terms.
  // `runtime` MUST outlive the exchange.
  [[nodiscard]] static Result<std::unique_ptr<Exchange>> start(net::Runtime& runtime,
                                                               ExchangeConfig config);
  ~Exchange();  // stop()
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  [[nodiscard]] std::uint16_t port() const noexcept;
  [[nodiscard]] std::string base_url() const;  // "http://127.0.0.1:8100"
  [[nodiscard]] Accounts& accounts() noexcept;
  [[nodiscard]] Faults& faults() noexcept;
  void stop();

 private:
  struct State;
  Exchange(std::shared_ptr<State> state, std::unique_ptr<net::HttpServer> server, std::string host);

  std::shared_ptr<State> state_;  // shared with requests that outlive the server's stop limit
  std::unique_ptr<net::HttpServer> server_;
  std::string host_;  // for URLs
};

// The routes over an accounts table, for a server of one's own. Both MUST outlive the server.
[[nodiscard]] net::Router make_router(Accounts& accounts, Faults& faults);

}  // namespace alphaswarm::trading::exchange
