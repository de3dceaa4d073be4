#pragma once

// Alpaca's trading API as a Broker; also the base of the simulated exchange's client, which serves
// the same API.

#include <memory>
#include <string>

#include "alphaswarm/trading/broker/venue_broker.hpp"

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

class AlpacaBroker : public VenueBroker {
 public:
  // `http` MUST outlive the broker.
  AlpacaBroker(AlpacaConfig config, net::HttpClient& http);

  [[nodiscard]] bool knows_client_ids() const noexcept override { return true; }
  net::task<Result<std::unique_ptr<OrderUpdateStream>>> stream_order_updates() override;

 protected:
  [[nodiscard]] VtSymbol named_symbol(std::string_view symbol, std::string_view exchange) const;

 private:
  net::task<Result<Order>> submit(const OrderRequest& request) override;
  net::task<Result<void>> cancel(const OrderId& id) override;
  net::task<Result<Order>> fetch_order(const OrderId& id) override;
  net::task<Result<Order>> fetch_order(const ClientOrderId& id) override;
  net::task<Result<std::vector<Order>>> fetch_open_orders() override;
  net::task<Result<std::vector<BrokerPosition>>> fetch_positions() override;
  net::task<Result<BrokerAccount>> fetch_account() override;
  // The venue took the order, or says so, and did not show it. Unavailable if it does not show it
  // when it is asked either; `why` is for that.
  net::task<Result<Order>> find_placed(const OrderRequest& request, std::string why);
  net::task<Result<Order>> refused(const OrderRequest& request, const VenueReply& reply);
  // What the venue said when it was asked for the order, as the answer to its submission.
  [[nodiscard]] Result<Order> what_is_known(Result<Order> known, const OrderRequest& request,
                                            std::string_view why) const;
  net::task<Result<Order>> order_at(std::string path, std::string what);
  // The answer to a GET of that path. `what` is for the error.
  net::task<Result<boost::json::value>> get(std::string path, std::string what);

  const AlpacaConfig config_;
};

}  // namespace alphaswarm::trading
