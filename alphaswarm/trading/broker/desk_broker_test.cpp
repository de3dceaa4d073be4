// Orders by hand at an exchange whose answers get lost.

#include "alphaswarm/trading/broker/desk_broker.hpp"

#include <algorithm>
#include <functional>

#include "alphaswarm/persistence/bar_repository.hpp"
#include "alphaswarm/persistence/test_support.hpp"
#include "alphaswarm/trading/exchange/exchange_fixture.hpp"

namespace alphaswarm::trading {
namespace {

// Sees each request before it leaves.
class Watcher final : public net::HttpClientObserver {
 public:
  std::function<void(std::string_view method, std::string_view url)> told = [](auto, auto) {};
  void* started(net::HttpRequestInfo& request, int) override {
    told(request.method, request.url);
    return nullptr;
  }
  void finished(void*, int, const Error*, const net::PeerAddress&) override {}
};

class DeskBrokerTest : public exchange::ExchangeFixture {
 protected:
  DeskBrokerTest() {
    start();
    desk_ = make_desk();
    close_at(100);
  }
  std::unique_ptr<DeskBroker> make_desk() {
    SimConfig config;
    config.base_url = exchange_->base_url();
    config.key_id = "alice";
    config.terms.slippage_bps = {};
    config.waiting.sleep = [](std::chrono::nanoseconds) -> net::task<Result<void>> {
      co_return Result<void>();
    };
    return std::make_unique<DeskBroker>(std::move(config), client_, *database_);
  }
  void close_at(int price) {
    persistence::BarRow bar;
    bar.vt_symbol = "AAPL.SIM";
    bar.interval = "1d";
    bar.timestamp = {86'400'000'000'000};
    bar.open = bar.high = bar.low = bar.close = Decimal::from_integer(price);
    bar.volume = Decimal::from_integer(1'000);
    EXPECT_TRUE(persistence::BarRepository(*database_).upsert(std::span(&bar, 1)));
  }
  Result<Order> submit(const std::string& id, std::optional<double> limit = std::nullopt) {
    OrderRequest request;
    request.client_id.value = id;
    request.symbol = *VtSymbol::parse("AAPL.SIM");
    request.quantity = Quantity::of(1);
    if (limit) {
      request.type = OrderType::limit;
      request.limit_price = Price::of(*limit);
      request.time_in_force = TimeInForce::gtc;
    }
    return net::block_on(client_runtime_, desk_->submit_order(std::move(request)));
  }
  // So many answers are lost from now on; what was asked is done. Three are all tries of a call.
  void lose_answers(int count) {
    exchange::FaultSettings lost;
    lost.fail_next = count;
    lost.after_effect = true;
    exchange_->faults().set(lost);
  }
  // The fills that were told of other orders, as "client id quantity".
  std::vector<std::string> fills() {
    std::vector<std::string> told;
    for (const BrokerUpdate& update : desk_->take_news()) {
      if (!update.fill) continue;
      told.push_back(update.order.request.client_id.value + ' ' +
                     update.fill->quantity.to_string());
    }
    return told;
  }

  persistence::test::TemporaryFolder folder_;
  std::shared_ptr<persistence::Database> database_ =
      persistence::test::open_migrated(folder_.url());
  Watcher watcher_;
  net::HttpClientConfig client_config_ = [this] {
    net::HttpClientConfig config;
    config.observer = &watcher_;
    return config;
  }();
  net::HttpClient client_{client_runtime_, client_config_};
  std::unique_ptr<DeskBroker> desk_;
};

using Told = std::vector<std::string>;

TEST_F(DeskBrokerTest, ALostAnswerHidesNoFill) {
  ASSERT_EQ(submit("rest", 90)->status, OrderStatus::new_order);
  close_at(89);
  lose_answers(3);
  EXPECT_EQ(submit("second").error().code, ErrorCode::unavailable);
  EXPECT_EQ(fills(), Told{});
  EXPECT_EQ(submit("third")->status, OrderStatus::filled);
  EXPECT_EQ(fills(), Told{"rest 1"});
}

TEST_F(DeskBrokerTest, TheOrdersOwnLostAnswerIsAskedFor) {
  ASSERT_TRUE(submit("first"));
  int steps = 0;
  watcher_.told = [&](std::string_view, std::string_view url) {
    if (url.ends_with("/sim/v1/advance") && ++steps == 2) lose_answers(3);
  };
  const Result<Order> own = submit("own");
  ASSERT_TRUE(own) << own.error().message;
  EXPECT_EQ(own->status, OrderStatus::filled);
  EXPECT_GT(steps, 2);
  watcher_.told = [](auto, auto) {};
  ASSERT_EQ(submit("next")->status, OrderStatus::filled);
  EXPECT_EQ(fills(), Told{});  // it was the answer
}

TEST_F(DeskBrokerTest, WhatNobodyCouldAskForIsToldLater) {
  ASSERT_TRUE(submit("first"));
  int steps = 0;
  watcher_.told = [&](std::string_view, std::string_view url) {
    if (url.ends_with("/sim/v1/advance") && ++steps == 2) lose_answers(6);
  };
  EXPECT_EQ(submit("own")->status, OrderStatus::new_order);
  watcher_.told = [](auto, auto) {};
  ASSERT_EQ(submit("next")->status, OrderStatus::filled);
  EXPECT_EQ(fills(), Told{"own 1"});
}

TEST_F(DeskBrokerTest, AnExchangeThatForgotTheAccountGetsItAnew) {
  ASSERT_TRUE(submit("first"));
  const std::uint16_t port = exchange_->port();
  exchange_->stop();
  exchange::ExchangeConfig config;
  config.port = port;
  auto started = exchange::Exchange::start(server_runtime_, config);
  ASSERT_TRUE(started) << started.error().message;
  exchange_ = std::move(*started);
  const Result<Order> second = submit("second");
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_EQ(second->status, OrderStatus::filled);
  EXPECT_EQ(second->average_price, Price::of(100));  // on the desk's own terms: no slippage
}

}  // namespace
}  // namespace alphaswarm::trading
