#pragma once

// What all brokers over HTTP share: the span of each call, the check of a request, the venue's
// names of symbols, and what is made of an order the venue has already.

#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "alphaswarm/trading/broker/broker.hpp"
#include "alphaswarm/trading/broker/venue_client.hpp"

namespace alphaswarm::trading {

class VenueBroker : public Broker {
 public:
  [[nodiscard]] std::string_view venue() const noexcept override { return client_.config().venue; }
  net::task<Result<void>> connect() override;
  net::task<Result<void>> disconnect() override { co_return Result<void>(); }
  net::task<Result<Order>> submit_order(OrderRequest request) override;
  net::task<Result<void>> cancel_order(OrderId id) override;
  net::task<Result<Order>> query_order(OrderId id) override;
  net::task<Result<Order>> query_order(ClientOrderId id) override;
  net::task<Result<std::vector<Order>>> query_open_orders() override;
  net::task<Result<std::vector<BrokerPosition>>> query_positions() override;
  net::task<Result<BrokerAccount>> query_account() override;

 protected:
  // `http` MUST outlive the broker. `default_exchange` is that of symbols the venue names without.
  VenueBroker(VenueConfig venue, std::string default_exchange, net::HttpClient& http);

  // The calls themselves, within their spans. The request has been checked.
  virtual net::task<Result<Order>> submit(const OrderRequest& request) = 0;
  virtual net::task<Result<void>> cancel(const OrderId& id) = 0;
  virtual net::task<Result<Order>> fetch_order(const OrderId& id) = 0;
  virtual net::task<Result<Order>> fetch_order(const ClientOrderId& id) = 0;
  virtual net::task<Result<std::vector<Order>>> fetch_open_orders() = 0;
  virtual net::task<Result<std::vector<BrokerPosition>>> fetch_positions() = 0;
  virtual net::task<Result<BrokerAccount>> fetch_account() = 0;

  // The venue has an order with the client id of `request`: it comes back, unless it is another.
  [[nodiscard]] Result<Order> settled(Order known, const OrderRequest& request) const;
  // The venue refuses to cancel an order: an earlier try of the very call may have done it.
  net::task<Result<void>> cancelled_before(const OrderId& id);
  [[nodiscard]] Order rejected(const OrderRequest& request, std::string reason) const;
  // So that full_symbol finds it by its ticker.
  void remember(const VtSymbol& symbol);
  [[nodiscard]] VtSymbol full_symbol(std::string_view symbol, std::string_view exchange = {}) const;
  [[nodiscard]] VenueClient& client() noexcept { return client_; }

 private:
  template <class Id>
  net::task<Result<Order>> query(Id id);

  VenueClient client_;
  const std::string default_exchange_;
  mutable std::mutex mutex_;
  std::map<std::string, VtSymbol, std::less<>> known_;  // ticker → symbol; guarded by mutex_
};

}  // namespace alphaswarm::trading
