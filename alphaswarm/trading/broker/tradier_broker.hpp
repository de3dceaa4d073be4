#pragma once

// Tradier's brokerage API as a Broker: form-encoded REST with a bearer token.
//
// Tradier knows no idempotency key. Our client order id goes along as the order's tag, and every
// submission looks for an order with that tag first; where an answer was lost, it waits and looks
// again before it sends the order once more. While that look-up has no answer nothing is sent: the
// submission is `unavailable`, and may be repeated later. Tradier lists the orders of the day and
// what is still open, so a tag of an earlier day's finished order is not found.
// A sale closes what is held: short sales, which Tradier wants named apart, are the venue's to
// refuse.

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "alphaswarm/trading/broker/broker.hpp"
#include "alphaswarm/trading/broker/venue_client.hpp"

namespace alphaswarm::trading {

struct TradierConfig {
  std::string base_url = "https://sandbox.tradier.com";  // or "https://api.tradier.com"
  std::string token, account_id;
  std::string default_exchange = "US";  // of symbols the venue names without one: all of them
  RetryPolicy retry;
  RateLimit rate_limit{.per_second = 1, .burst = 20};  // Tradier's for trading: 60 a minute
  std::chrono::milliseconds timeout{10'000};
  std::chrono::milliseconds poll_interval{2'000};  // of stream_order_updates
  Waiting waiting;
};

class TradierBroker final : public Broker {
 public:
  // `http` MUST outlive the broker.
  TradierBroker(TradierConfig config, net::HttpClient& http);

  [[nodiscard]] std::string_view venue() const noexcept override { return "tradier"; }
  [[nodiscard]] bool knows_client_ids() const noexcept override { return false; }
  net::task<Result<void>> connect() override;
  net::task<Result<void>> disconnect() override;
  net::task<Result<Order>> submit_order(OrderRequest request) override;
  net::task<Result<void>> cancel_order(OrderId id) override;
  net::task<Result<Order>> query_order(OrderId id) override;
  net::task<Result<Order>> query_order(ClientOrderId id) override;
  net::task<Result<std::vector<Order>>> query_open_orders() override;
  net::task<Result<std::vector<BrokerPosition>>> query_positions() override;
  net::task<Result<BrokerAccount>> query_account() override;
  // Asks for the orders every poll_interval and tells what changed. MUST NOT outlive the broker.
  net::task<Result<std::unique_ptr<OrderUpdateStream>>> stream_order_updates() override;

 private:
  friend class TradierUpdates;
  net::task<Result<Order>> submit(const OrderRequest& request);
  // One POST; unavailable if nobody knows what became of it.
  net::task<Result<Order>> send(const OrderRequest& request, const std::string& form);
  net::task<Result<std::optional<Order>>> find_by_tag(const std::string& tag);
  net::task<Result<Order>> fetch_order(const OrderId& id);
  net::task<Result<std::vector<Order>>> fetch_orders();
  net::task<Result<std::vector<BrokerPosition>>> fetch_positions();
  [[nodiscard]] std::string account_path(std::string_view rest) const;
  [[nodiscard]] VtSymbol full_symbol(std::string_view ticker) const;
  [[nodiscard]] Error refusal(const VenueReply& reply, std::string_view what) const;

  const TradierConfig config_;
  VenueClient client_;
  mutable std::mutex mutex_;
  std::map<std::string, VtSymbol, std::less<>> known_;  // ticker → symbol; guarded by mutex_
};

}  // namespace alphaswarm::trading
