#pragma once

// The client of the simulated exchange: Alpaca's API plus the routes that move its market.

#include <cstdint>
#include <span>

#include "alphaswarm/trading/broker/alpaca_broker.hpp"
#include "alphaswarm/trading/market/portfolio.hpp"
#include "alphaswarm/trading/matching/engine.hpp"

namespace alphaswarm::trading {

struct SimConfig {
  std::string base_url;  // "http://127.0.0.1:8100"
  std::string key_id;    // names the account, e.g. the run id
  MatchingConfig terms;  // of the account; its id_seed is the exchange's own
  RetryPolicy retry;
  RateLimit rate_limit;  // none
  std::chrono::milliseconds timeout{10'000};
  Waiting waiting;
  net::HttpClientObserver* observer = nullptr;
};

// The session's own books, for an exchange that may have forgotten the account.
struct SimRestore {
  const Portfolio* portfolio = nullptr;
  std::int64_t bar_index = -1;  // the last one the books contain
  std::vector<SymbolBar> bars;  // the last of each symbol
};

struct SimOpened {
  bool created = false;  // the exchange did not know the account: it starts from the restore
  std::int64_t last_bar_index = -1;
};

struct SimStep {
  std::vector<BrokerUpdate> updates;  // in the order they happened
  Money cash, equity;                 // the account after the bar
  bool repeated = false;              // the exchange had this bar before
};

class SimBroker : public AlpacaBroker {
 public:
  SimBroker(SimConfig config, net::HttpClient& http);

  // connect() opens the account afresh; open() continues it.
  net::task<Result<void>> connect() override;
  net::task<Result<SimOpened>> open(SimRestore restore);
  net::task<Result<void>> disconnect() override;

  // The bars of one instant. Safe to repeat: the same index gets the same answer.
  net::task<Result<SimStep>> advance(std::int64_t bar_index, std::span<const SymbolBar> bars);

 private:
  const MatchingConfig terms_;
};

}  // namespace alphaswarm::trading
