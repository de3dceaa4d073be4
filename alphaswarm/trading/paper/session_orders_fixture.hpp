#pragma once

// For tests: sessions at a live venue whose answers a test meddles with.

#include "alphaswarm/trading/paper/session_live_fixture.hpp"

namespace alphaswarm::trading::paper {

// What lies between a session and its venue: what a test says of each call, else nothing.
class MeddlingBroker final : public Broker {
 public:
  explicit MeddlingBroker(Broker& venue) : venue_(venue) {}

  // Set before the session runs.
  std::function<net::task<Result<Order>>(OrderRequest)> on_submit;
  std::function<net::task<void>()> before_look;  // by client id
  std::atomic<bool> cancels{true};               // false: it does not answer to that
  std::atomic<bool> shows{true};                 // false: nor to questions by its own id
  std::atomic<bool> denies{false};               // true: it knows none of its own ids
  std::atomic<int> looks{0};                     // by its own id

  [[nodiscard]] std::string_view venue() const noexcept override { return venue_.venue(); }
  [[nodiscard]] bool knows_client_ids() const noexcept override {
    return venue_.knows_client_ids();
  }
  net::task<Result<void>> connect() override { return venue_.connect(); }
  net::task<Result<void>> disconnect() override { return venue_.disconnect(); }
  net::task<Result<Order>> submit_order(OrderRequest request) override {
    return on_submit ? on_submit(std::move(request)) : venue_.submit_order(std::move(request));
  }
  net::task<Result<void>> cancel_order(OrderId id) override {
    if (!cancels) co_return fail(ErrorCode::unavailable, "it does not answer");
    co_return co_await venue_.cancel_order(std::move(id));
  }
  net::task<Result<Order>> query_order(OrderId id) override {
    ++looks;
    if (denies) co_return fail(ErrorCode::not_found, "there is no such order");
    if (!shows) co_return fail(ErrorCode::unavailable, "it does not answer");
    co_return co_await venue_.query_order(std::move(id));
  }
  net::task<Result<Order>> query_order(ClientOrderId id) override {
    if (before_look) co_await before_look();
    co_return co_await venue_.query_order(std::move(id));
  }
  net::task<Result<std::vector<Order>>> query_open_orders() override {
    return venue_.query_open_orders();
  }
  net::task<Result<std::vector<BrokerPosition>>> query_positions() override {
    return venue_.query_positions();
  }
  net::task<Result<BrokerAccount>> query_account() override { return venue_.query_account(); }
  net::task<Result<std::unique_ptr<OrderUpdateStream>>> stream_order_updates() override {
    return venue_.stream_order_updates();
  }

 private:
  Broker& venue_;
};

class SessionOrdersTest : public SessionLiveTest {
 protected:
  SessionOrdersTest() { services_.live.alpaca = &between_; }

  // The first order is on its way: nobody answers, and the venue does not know it until it has been
  // asked for `looks` times.
  void lose_first_order(int looks) {
    between_.on_submit = [this](OrderRequest request) -> net::task<Result<Order>> {
      if (submissions_++ == 0) {
        on_its_way_ = std::move(request);
        co_return fail(ErrorCode::unavailable, "no answer");
      }
      co_return co_await broker_->submit_order(std::move(request));
    };
    between_.before_look = [this, looks]() -> net::task<void> {
      if (++looks_ != looks || !on_its_way_) co_return;
      OrderRequest arrives = std::move(*on_its_way_);
      on_its_way_.reset();
      std::ignore = co_await broker_->submit_order(std::move(arrives));
    };
  }
  // A session over the streams, played until its first order was decided on.
  void play_until_a_submission(Running& running, bool stop_on_kill_switch = true) {
    make_market(120);
    json::object config = live_document("alpaca", "stream");
    config["session"].as_object()["stop_on_kill_switch"] = stop_on_kill_switch;
    launch(running, std::move(config), "live");
    std::size_t bars = 0;
    while (submissions_ == 0 && bars < steps_.size()) play_on(running, ++bars);
  }
  // As the fixture's, but an order that has no answer is all right.
  void play_on(const Running& running, std::size_t bars) {
    while (moved_ < bars && !running.ended.is_set()) {
      move_market();
      await_index(moved_, running);
    }
  }
  persistence::OrderRow first_order() {
    const auto orders = orders_of(row_of_task("live").id);
    EXPECT_FALSE(orders.empty());
    return orders.empty() ? persistence::OrderRow() : orders.front();
  }

  MeddlingBroker between_{*broker_};
  std::atomic<int> submissions_{0}, looks_{0};
  std::optional<OrderRequest> on_its_way_;
};

class SessionStaleTest : public SessionOrdersTest {
 protected:
  json::object buy_and_hold() {
    json::object config = live_document("alpaca", "stream");
    config["strategy"] = json::object{{"name", "buy_and_hold"}};
    return config;
  }
  // The first of its orders reaches the venue, then the session is cut off with the others saved.
  void cut_off_after_one_order() {
    services_.resume_after_worker_stop = true;
    Running first;
    between_.on_submit = [&](OrderRequest request) -> net::task<Result<Order>> {
      std::ignore = co_await broker_->submit_order(std::move(request));
      first.stop.request_stop();
      co_return fail(ErrorCode::cancelled, "cut off");
    };
    launch(first, buy_and_hold(), "live");
    move_market();
    ASSERT_FALSE(join(first));
    ASSERT_EQ(venue_orders().size(), 1U);
    between_.on_submit = nullptr;
  }
};

}  // namespace alphaswarm::trading::paper
