#pragma once

// Tradier's brokerage API as a Broker: form-encoded REST with a bearer token.
//
// Tradier knows no idempotency key. Our client order id goes along as the order's tag, and every
// submission looks for an order with that tag first. An order is sent once: where its answer was
// lost it is looked for, again and again, and if it is not found the submission is `unavailable`:
// it may still be on its way. From before an order is sent until the venue's answer is there, or
// for ten minutes if none comes, the same client id is looked for and never sent again. While a
// look-up has no answer nothing is sent either. Tradier lists the orders of the day and what is
// still open, so a tag of an earlier day's finished order is not found. A sale closes what is held:
// short sales, which Tradier wants named apart, are the venue's to refuse.

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "alphaswarm/trading/broker/venue_broker.hpp"

namespace alphaswarm::trading {

struct TradierConfig {
  std::string base_url = "https://sandbox.tradier.com";  // or "https://api.tradier.com"
  std::string token, account_id;
  std::string default_exchange = "US";  // of symbols the venue names without one: all of them
  RetryPolicy retry;
  RateLimit rate_limit{.per_second = 1, .burst = 20};  // Tradier's for trading: 60 a minute
  std::chrono::milliseconds timeout{10'000};
  std::chrono::milliseconds poll_interval{2'000};  // of stream_order_updates
  std::size_t max_on_their_way = 1'000;  // orders without an answer that are known; oldest go first
  Waiting waiting;
};

class TradierBroker final : public VenueBroker {
 public:
  // `http` MUST outlive the broker.
  TradierBroker(TradierConfig config, net::HttpClient& http);

  [[nodiscard]] bool knows_client_ids() const noexcept override { return false; }
  [[nodiscard]] bool shows_orders_since(UnixNanos time) const noexcept override;
  // Asks for the orders every poll_interval and tells what changed. MUST NOT outlive the broker.
  net::task<Result<std::unique_ptr<OrderUpdateStream>>> stream_order_updates() override;

 private:
  friend class TradierUpdates;
  net::task<Result<Order>> submit(const OrderRequest& request) override;
  net::task<Result<void>> cancel(const OrderId& id) override;
  net::task<Result<Order>> fetch_order(const OrderId& id) override;
  net::task<Result<Order>> fetch_order(const ClientOrderId& id) override;
  net::task<Result<std::vector<Order>>> fetch_open_orders() override;
  net::task<Result<std::vector<BrokerPosition>>> fetch_positions() override;
  net::task<Result<BrokerAccount>> fetch_account() override;
  // One POST; unavailable if nobody knows what became of it.
  net::task<Result<Order>> send(const OrderRequest& request, const std::string& form);
  // Null: there is none with that tag.
  net::task<Result<std::optional<Order>>> find_by_tag(const std::string& tag);
  net::task<Result<std::vector<Order>>> fetch_orders();
  net::task<Result<VenueReply>> get(std::string path, std::string what);
  [[nodiscard]] std::string account_path(std::string_view rest) const;
  [[nodiscard]] Error refusal(const VenueReply& reply, std::string_view what) const;
  // False: somebody else sends an order with that tag, or did and nobody knows what became of it.
  [[nodiscard]] bool claim(const std::string& tag);
  // What became of it is known.
  void release(const std::string& tag);

  const TradierConfig config_;
  std::mutex mutex_;
  std::map<std::string, std::int64_t> on_their_way_;  // tag → since, monotonic; guarded by mutex_
};

}  // namespace alphaswarm::trading
