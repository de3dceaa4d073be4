#pragma once

// Alpaca's trading API as a Broker; also the base of the simulated exchange's client, which serves
// the same API.

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "alphaswarm/trading/broker/broker.hpp"
#include "alphaswarm/trading/broker/venue_client.hpp"

namespace alphaswarm::trading {

struct AlpacaConfig {
  std::string venue = "alpaca";
  std::string base_url;  // "https://paper-api.alpaca.markets" or the simulated exchange
  std::string key_id, secret_key;
  // Whether the venue calls a symbol by our full name (the simulated exchange) or by its ticker.
  bool full_symbols = false;
  std::string default_exchange = "US";  // of symbols the venue names without their exchange
  RetryPolicy retry;
  RateLimit rate_limit{.per_second = 200.0 / 60, .burst = 20};  // Alpaca's: 200 a minute
  std::chrono::milliseconds timeout{10'000};
  Waiting waiting;
  net::TlsClientConfig tls;                     // of the stream
  net::HttpClientObserver* observer = nullptr;  // of the stream's upgrade; MUST outlive it
};

class AlpacaBroker : public Broker {
 public:
  // `http` MUST outlive the broker.
  AlpacaBroker(AlpacaConfig config, net::HttpClient& http);

  [[nodiscard]] std::string_view venue() const noexcept override { return config_.venue; }
  [[nodiscard]] bool knows_client_ids() const noexcept override { return true; }
  net::task<Result<void>> connect() override;
  net::task<Result<void>> disconnect() override;
  net::task<Result<Order>> submit_order(OrderRequest request) override;
  net::task<Result<void>> cancel_order(OrderId id) override;
  net::task<Result<Order>> query_order(OrderId id) override;
  net::task<Result<Order>> query_order(ClientOrderId id) override;
  net::task<Result<std::vector<Order>>> query_open_orders() override;
  net::task<Result<std::vector<BrokerPosition>>> query_positions() override;
  net::task<Result<BrokerAccount>> query_account() override;
  net::task<Result<std::unique_ptr<OrderUpdateStream>>> stream_order_updates() override;

 protected:
  [[nodiscard]] VenueClient& client() noexcept { return client_; }
  [[nodiscard]] VtSymbol full_symbol(std::string_view symbol, std::string_view exchange) const;

 private:
  net::task<Result<Order>> submit(const OrderRequest& request);
  net::task<Result<Order>> existing(const OrderRequest& request);
  net::task<Result<Order>> fetch_order(std::string path, std::string what);
  [[nodiscard]] std::string symbol_name(const VtSymbol& symbol);

  const AlpacaConfig config_;
  VenueClient client_;
  mutable std::mutex mutex_;
  std::map<std::string, VtSymbol, std::less<>> known_;  // ticker → symbol; guarded by mutex_
};

}  // namespace alphaswarm::trading
