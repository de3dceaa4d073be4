// The Tradier adapter against a server that answers in the documented shapes.

#include <gtest/gtest.h>

#include "alphaswarm/net/task.hpp"
#include "alphaswarm/observability/api/provider.hpp"
#include "alphaswarm/observability/export/memory.hpp"
#include "alphaswarm/observability/tracing.hpp"
#include "alphaswarm/trading/broker/tradier_broker.hpp"
#include "alphaswarm/trading/broker/tradier_server_for_tests.hpp"

namespace alphaswarm::trading {
namespace {

namespace otel = alphaswarm::observability;
using std::chrono::milliseconds;

class TradierTest : public ::testing::Test {
 protected:
  TradierTest() {
    otel::Config config;
    config.service_name = "test";
    config.sink = sink_;
    provider_ = std::move(*otel::TracerProvider::create(std::move(config)));
    provider_->install_as_default();
    broker_ = make_broker("secret-token");
  }

  std::unique_ptr<TradierBroker> make_broker(std::string token, TradierConfig config = {}) {
    config.base_url = tradier_.url();
    config.token = std::move(token);
    config.account_id = "VA1";
    config.rate_limit = {};
    config.waiting.uniform = [] { return 0.5; };
    config.waiting.sleep = [this](std::chrono::nanoseconds time) { return note_wait(time); };
    return std::make_unique<TradierBroker>(std::move(config), http_);
  }
  net::task<Result<void>> note_wait(std::chrono::nanoseconds time) {
    waits_.push_back(std::chrono::duration_cast<milliseconds>(time));
    co_return Result<void>();
  }
  template <class T>
  T wait(net::task<T> work) {
    return net::block_on(client_runtime_, std::move(work));
  }
  static OrderRequest order(std::string id, double quantity = 10) {
    OrderRequest request;
    request.client_id.value = std::move(id);
    request.symbol = *VtSymbol::parse("AAPL.NASDAQ");
    request.quantity = Quantity::of(quantity);
    return request;
  }

  TradierServer tradier_;
  net::Runtime client_runtime_{"client", 1};
  net::HttpClient http_{client_runtime_};
  std::shared_ptr<otel::MemorySink> sink_ = std::make_shared<otel::MemorySink>();
  std::unique_ptr<otel::TracerProvider> provider_;
  std::vector<milliseconds> waits_;
  std::unique_ptr<TradierBroker> broker_;
};

TEST_F(TradierTest, AnOrderFromSubmissionToItsEnd) {
  OrderRequest request = order("run-000001");
  request.type = OrderType::limit;
  request.limit_price = Price::of(99.5);
  const Result<Order> placed = wait(broker_->submit_order(request));
  ASSERT_TRUE(placed) << placed.error().message;
  EXPECT_EQ(tradier_.last_form,
            "class=equity&symbol=AAPL&side=buy&quantity=10&type=limit&duration=day"
            "&tag=run-000001&price=99.5");
  EXPECT_EQ(placed->id.value, "1000");
  EXPECT_EQ(placed->status, OrderStatus::new_order);
  EXPECT_EQ(placed->request.symbol.text(), "AAPL.NASDAQ");
  EXPECT_EQ(wait(broker_->query_open_orders())->size(), 1U);
  EXPECT_EQ(wait(broker_->query_order(ClientOrderId{"run-000001"}))->id, placed->id);
  tradier_.orders[1000]["status"] = "filled";
  tradier_.orders[1000]["exec_quantity"] = 10.0;
  tradier_.orders[1000]["avg_fill_price"] = 99.25;
  const Result<Order> filled = wait(broker_->query_order(placed->id));
  EXPECT_EQ(filled->status, OrderStatus::filled);
  EXPECT_EQ(filled->average_price.to_string(), "99.25");
  EXPECT_TRUE(wait(broker_->query_open_orders())->empty());
  EXPECT_EQ(wait(broker_->cancel_order(placed->id)).error().code, ErrorCode::conflict);
  EXPECT_TRUE(provider_->force_flush());
  const otel::FinishedSpan span = sink_->find("broker.submit_order");
  EXPECT_EQ(span.attributes.at("broker.venue"), "tradier");
  EXPECT_EQ(span.attributes.at("order.client_id"), "run-000001");
  EXPECT_EQ(span.attributes.at("order.id"), "1000");
}

// Tradier would take the same order twice: only the look-up by tag keeps it from that.
TEST_F(TradierTest, ALostAnswerNeverMakesTwoOrders) {
  tradier_.fail_after = 1;
  const Result<Order> placed = wait(broker_->submit_order(order("once")));
  ASSERT_TRUE(placed) << placed.error().message;
  EXPECT_EQ(tradier_.orders.size(), 1U);
  EXPECT_EQ(tradier_.posts, 1);
  EXPECT_EQ(waits_.size(), 1U);  // it waited before it asked
  ASSERT_TRUE(wait(broker_->submit_order(order("once"))));
  EXPECT_EQ(tradier_.posts, 1);
  EXPECT_EQ(wait(broker_->submit_order(order("once", 11))).error().code, ErrorCode::already_exists);
}

// It may arrive after any look, so it is looked for and never sent again.
TEST_F(TradierTest, AnOrderOfUnknownFateIsNeverSentTwice) {
  tradier_.late = true;
  EXPECT_EQ(wait(broker_->submit_order(order("late"))).error().code, ErrorCode::unavailable);
  EXPECT_EQ(waits_.size(), 3U);  // it looked after each
  EXPECT_EQ(wait(broker_->submit_order(order("late"))).error().code, ErrorCode::unavailable);
  EXPECT_EQ(tradier_.posts, 1);
  EXPECT_EQ(wait(broker_->query_order(ClientOrderId{"late"})).error().code, ErrorCode::not_found);
  tradier_.orders.merge(tradier_.on_their_way);
  const Result<Order> placed = wait(broker_->submit_order(order("late")));
  ASSERT_TRUE(placed) << placed.error().message;
  EXPECT_EQ(placed->id.value, "1000");
  EXPECT_EQ(tradier_.posts, 1);
  EXPECT_EQ(tradier_.orders.size(), 1U);
}

TEST_F(TradierTest, TwoSubmissionsAtOnceAreOneOrder) {
  tradier_.hold = true;
  const auto first = [this]() -> net::task<Result<Order>> {
    co_return co_await broker_->submit_order(order("both"));
  };
  const auto second = [this]() -> net::task<Result<Order>> {
    (void)co_await tradier_.arrived.wait();  // the first has no answer yet
    Result<Order> answer = co_await broker_->submit_order(order("both"));
    tradier_.let_go.set();
    co_return answer;
  };
  const auto both = [&]() -> net::task<std::pair<Result<Order>, Result<Order>>> {
    auto [one, other] = co_await net::all(first(), second());
    co_return std::pair(std::move(one), std::move(other));
  };
  const auto [sent, refused] = wait(both());
  ASSERT_TRUE(sent) << sent.error().message;
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::unavailable);
  EXPECT_NE(refused.error().message.find("not sent again"), std::string::npos);
  EXPECT_EQ(tradier_.posts, 1);
  EXPECT_EQ(wait(broker_->submit_order(order("both")))->id, sent->id);
  EXPECT_EQ(tradier_.posts, 1);
}

// The venue takes the order all the same, some time after nobody waits for it any more.
TEST_F(TradierTest, AnOrderWhoseSenderGaveUpIsNotSentAgain) {
  tradier_.hold = true;
  const auto give_up = [this]() -> net::task<void> {
    co_await net::race(broker_->submit_order(order("gone")), tradier_.arrived.wait());
  };
  wait(give_up());
  tradier_.hold = false;
  const Result<Order> again = wait(broker_->submit_order(order("gone")));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::unavailable);
  EXPECT_EQ(tradier_.posts, 0);
  tradier_.let_go.set();
}

TEST_F(TradierTest, OfTooManyOnTheirWayTheOldestIsForgotten) {
  TradierConfig config;
  config.max_on_their_way = 2;
  broker_ = make_broker("secret-token", config);
  tradier_.late = true;
  for (const char* id : {"b", "a", "c"}) {
    EXPECT_EQ(wait(broker_->submit_order(order(id))).error().code, ErrorCode::unavailable);
  }
  EXPECT_EQ(tradier_.posts, 3);
  EXPECT_EQ(wait(broker_->submit_order(order("a"))).error().code, ErrorCode::unavailable);
  EXPECT_EQ(tradier_.posts, 3);
}

// A definite no leaves nothing behind: the same id may be used for what the venue can take.
TEST_F(TradierTest, ARefusedOrderMayBeSentAgain) {
  EXPECT_EQ(wait(broker_->submit_order(order("big", 5000)))->status, OrderStatus::rejected);
  EXPECT_TRUE(wait(broker_->submit_order(order("big"))));
  EXPECT_EQ(tradier_.posts, 2);
}

TEST_F(TradierTest, TooManyCallsWaitForTheEndOfTheMinute) {
  tradier_.fail_before = 1;
  tradier_.fail_status = 429;
  tradier_.expiry = std::to_string(now_unix().value / 1'000'000 + 30'000);
  ASSERT_TRUE(wait(broker_->submit_order(order("later"))));
  ASSERT_EQ(waits_.size(), 1U);
  EXPECT_GT(waits_[0], milliseconds(20'000));
  EXPECT_LE(waits_[0], milliseconds(30'000));
}

TEST_F(TradierTest, RefusalsSayWhyAndNeverTheToken) {
  const Result<Order> refused = wait(broker_->submit_order(order("big", 5000)));
  ASSERT_TRUE(refused) << refused.error().message;
  EXPECT_EQ(refused->status, OrderStatus::rejected);
  EXPECT_NE(refused->reason.find("Backoffice rejected override; Buying power"), std::string::npos);
  EXPECT_EQ(wait(broker_->submit_order(order("under_score"))).error().code,
            ErrorCode::invalid_argument);
  OrderRequest ioc = order("ioc");
  ioc.time_in_force = TimeInForce::ioc;
  EXPECT_EQ(wait(broker_->submit_order(ioc)).error().code, ErrorCode::invalid_argument);
  const auto account = wait(make_broker("wrong-token")->query_account());
  ASSERT_FALSE(account);
  EXPECT_EQ(account.error().code, ErrorCode::unauthenticated);
  EXPECT_NE(account.error().message.find("Invalid Access Token"), std::string::npos);
  EXPECT_EQ(account.error().message.find("wrong-token"), std::string::npos);
  EXPECT_EQ(wait(broker_->query_order(OrderId{"7"})).error().code, ErrorCode::not_found);
}

TEST_F(TradierTest, CancellingIsSafeToRepeat) {
  const Result<Order> placed = wait(broker_->submit_order(order("one")));
  EXPECT_TRUE(wait(broker_->cancel_order(placed->id)));
  EXPECT_TRUE(wait(broker_->cancel_order(placed->id)));
  EXPECT_EQ(wait(broker_->query_order(placed->id))->status, OrderStatus::cancelled);
}

// The venue may say no for the moment, while the order goes on.
TEST_F(TradierTest, AnOpenOrderThatWasNotCancelledIsNoConflict) {
  const Result<Order> placed = wait(broker_->submit_order(order("one")));
  tradier_.refuses_to_cancel = true;
  const Result<void> refused = wait(broker_->cancel_order(placed->id));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::unavailable) << refused.error().message;
  tradier_.refuses_to_cancel = false;
  EXPECT_TRUE(wait(broker_->cancel_order(placed->id)));
}

// A day of many orders; the new one is on the last page, and the answer to it is lost.
TEST_F(TradierTest, OrdersOfEveryPageAreSeen) {
  ASSERT_TRUE(wait(broker_->submit_order(order("first"))));
  EXPECT_EQ(tradier_.lists, 1);
  for (int i = 1; i <= 229; ++i) {
    tradier_.orders[i] = tradier_.orders[1000];
    tradier_.orders[i]["id"] = i;
    tradier_.orders[i]["tag"] = "old-" + std::to_string(i);
    if (i <= 120) tradier_.orders[i]["class"] = "option";  // a page of what is not ours
  }
  tradier_.fail_after = 1;
  const Result<Order> placed = wait(broker_->submit_order(order("last")));
  ASSERT_TRUE(placed) << placed.error().message;
  EXPECT_EQ(tradier_.posts, 2);
  for (const std::size_t largest : {100U, 25U}) {
    tradier_.largest_page = largest;
    tradier_.lists = 0;
    EXPECT_EQ(wait(broker_->query_open_orders())->size(), 111U);
    EXPECT_LE(tradier_.lists, static_cast<int>(231 / largest) + 2);
  }
  tradier_.pages = false;
  EXPECT_EQ(wait(broker_->query_open_orders())->size(), 111U);
}

TEST_F(TradierTest, AccountAndPositions) {
  EXPECT_TRUE(wait(broker_->connect()));
  const auto account = wait(broker_->query_account());
  EXPECT_EQ(account->cash.to_string(), "14343.78");
  EXPECT_EQ(account->buying_power.to_string(), "28687.56");
  const auto held = wait(broker_->query_positions());
  ASSERT_EQ(held->size(), 1U);
  EXPECT_EQ((*held)[0].average_cost.to_string(), "207.01");
  EXPECT_EQ((*held)[0].mark.to_string(), "208.5");
}

TEST_F(TradierTest, ChangesOfOrdersAreTold) {
  auto stream = wait(broker_->stream_order_updates());
  ASSERT_TRUE(stream);
  ASSERT_TRUE(wait(broker_->submit_order(order("one"))));
  EXPECT_EQ((**wait((*stream)->next())).event, "new");
  tradier_.orders[1000]["status"] = "partially_filled";
  tradier_.orders[1000]["exec_quantity"] = 4.0;
  tradier_.orders[1000]["avg_fill_price"] = 100.0;
  const auto part = wait((*stream)->next());
  EXPECT_EQ((*part)->event, "partial_fill");
  EXPECT_EQ((*part)->fill->quantity.to_string(), "4");
  tradier_.orders[1000]["status"] = "filled";
  tradier_.orders[1000]["exec_quantity"] = 10.0;
  tradier_.orders[1000]["avg_fill_price"] = 103.0;
  const auto rest = wait((*stream)->next());
  EXPECT_EQ((*rest)->event, "fill");
  EXPECT_EQ((*rest)->fill->price.to_string(), "105");  // (10 · 103 − 4 · 100) / 6
}

}  // namespace
}  // namespace alphaswarm::trading
