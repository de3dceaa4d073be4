#pragma once

// For tests: a venue that does with orders what the test says, and has nothing else.

#include <atomic>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "alphaswarm/net/task.hpp"
#include "alphaswarm/trading/broker/broker.hpp"

namespace alphaswarm::api::testing {

class VenueDouble final : public trading::Broker {
  using Order = trading::Order;

 public:
  // Set before they are needed.
  std::function<net::task<Result<Order>>(trading::OrderRequest)> on_submit;
  std::function<net::task<Result<Order>>()> on_look;  // by either id
  std::atomic<bool> client_ids{true};                 // see knows_client_ids
  std::atomic<bool> all_days{true};                   // see shows_orders_since
  std::atomic<int> submitted{0}, looks{0}, cancelled{0};

  [[nodiscard]] std::string_view venue() const noexcept override { return "alpaca"; }
  [[nodiscard]] bool knows_client_ids() const noexcept override { return client_ids; }
  [[nodiscard]] bool shows_orders_since(UnixNanos) const noexcept override { return all_days; }
  net::task<Result<void>> connect() override { co_return Result<void>(); }
  net::task<Result<void>> disconnect() override { co_return Result<void>(); }
  net::task<Result<Order>> submit_order(trading::OrderRequest request) override {
    ++submitted;
    if (!on_submit) co_return unused();
    co_return co_await on_submit(std::move(request));
  }
  net::task<Result<void>> cancel_order(trading::OrderId) override {
    ++cancelled;
    co_return Result<void>();
  }
  net::task<Result<Order>> query_order(trading::OrderId) override { return look(); }
  net::task<Result<Order>> query_order(trading::ClientOrderId) override { return look(); }
  net::task<Result<std::vector<Order>>> query_open_orders() override { co_return unused(); }
  net::task<Result<std::vector<trading::BrokerPosition>>> query_positions() override {
    co_return unused();
  }
  net::task<Result<trading::BrokerAccount>> query_account() override { co_return unused(); }
  net::task<Result<std::unique_ptr<trading::OrderUpdateStream>>> stream_order_updates() override {
    co_return unused();
  }

 private:
  static std::unexpected<Error> unused() { return fail(ErrorCode::not_found, "it has none"); }
  net::task<Result<Order>> look() {
    ++looks;
    if (!on_look) co_return unused();
    co_return co_await on_look();
  }
};

}  // namespace alphaswarm::api::testing
