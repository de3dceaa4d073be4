// What the Alpaca adapter makes of answers to a submission that are no order.

#include <gtest/gtest.h>

#include <atomic>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "alphaswarm/net/http_server.hpp"
#include "alphaswarm/net/task.hpp"
#include "alphaswarm/trading/broker/alpaca_broker.hpp"

namespace alphaswarm::trading {
namespace {

namespace json = boost::json;
using net::HttpRequest;
using net::HttpResponse;

class AlpacaAnswersTest : public ::testing::Test {
 protected:
  AlpacaAnswersTest() {
    net::Router router;
    const auto add = [&router](std::string method, std::string path, net::Handler handler) {
      net::Route route;
      route.method = std::move(method);
      route.path = std::move(path);
      route.handler = std::move(handler);
      router.add(std::move(route));
    };
    add("POST", "/v2/orders", [this](const HttpRequest&) -> net::task<HttpResponse> {
      if (++posts_ <= lost_) co_return HttpResponse::json(504, "{}");
      co_return HttpResponse::text(status_, answer_, "application/json");
    });
    add("GET", "/v2/orders:by_client_order_id",
        [this](const HttpRequest&) -> net::task<HttpResponse> {
          ++looks_;
          if (away_) co_return HttpResponse::json(503, "{}");
          if (!shown_) {
            co_return HttpResponse::json(404, R"({"code":40410000,"message":"order not found"})");
          }
          co_return HttpResponse::json(200, json::serialize(order_json()));
        });
    auto started = net::HttpServer::start(runtime_, std::move(router), {});
    EXPECT_TRUE(started);
    server_ = std::move(*started);
    AlpacaConfig config;
    config.base_url = "http://127.0.0.1:" + std::to_string(server_->port());
    config.key_id = "key";
    config.secret_key = "secret";
    config.rate_limit = {};
    config.waiting.sleep = [](std::chrono::nanoseconds) -> net::task<Result<void>> {
      co_return Result<void>();
    };
    broker_ = std::make_unique<AlpacaBroker>(std::move(config), http_);
  }

  static json::object order_json() {
    return {{"id", "venue-1"},  {"client_order_id", "run-000001"},
            {"symbol", "AAPL"}, {"side", "buy"},
            {"type", "market"}, {"qty", "10"},
            {"status", "new"},  {"time_in_force", "day"},
            {"filled_qty", "0"}};
  }
  Result<Order> submit(int status, std::string answer) {
    status_ = status;
    answer_ = std::move(answer);
    posts_ = looks_ = 0;
    OrderRequest request;
    request.client_id.value = "run-000001";
    request.symbol = *VtSymbol::parse("AAPL.NASDAQ");
    request.quantity = Quantity::of(10);
    return net::block_on(client_runtime_, broker_->submit_order(std::move(request)));
  }

  net::Runtime runtime_{"alpaca", 1};
  net::Runtime client_runtime_{"client", 1};
  net::HttpClient http_{client_runtime_};
  std::unique_ptr<net::HttpServer> server_;
  std::unique_ptr<AlpacaBroker> broker_;
  std::atomic<int> posts_{0}, looks_{0};
  std::atomic<bool> shown_{false};  // whether the order is found by its client id
  std::atomic<bool> away_{false};   // whether nobody can look
  std::atomic<int> lost_{0};        // how many submissions get no answer first
  int status_ = 200;
  std::string answer_;
};

struct Answer {
  int status;
  const char* body;
};
// Nonsense, nothing, an order without its id, a proxy's pages, a claim that it is there.
constexpr Answer kUnclear[] = {{200, "<html>"},
                               {200, ""},
                               {201, "{}"},
                               {200, "[]"},
                               {200, R"({"client_order_id":"run-000001","symbol":"AAPL"})"},
                               {302, ""},
                               {408, "{}"},
                               {501, "{}"},
                               {520, "<html>"},
                               {422, R"({"message":"client_order_id must be unique"})"}};

TEST_F(AlpacaAnswersTest, WhatCannotBeReadIsNoRefusal) {
  for (const Answer& answer : kUnclear) {
    const Result<Order> order = submit(answer.status, answer.body);
    ASSERT_FALSE(order) << answer.status << ' ' << answer.body;
    EXPECT_EQ(order.error().code, ErrorCode::unavailable) << order.error().message;
    EXPECT_FALSE(is_refusal(order.error().code));
  }
}

TEST_F(AlpacaAnswersTest, AnOrderThatWasTakenIsFoundByItsClientId) {
  shown_ = true;
  for (const Answer& answer : {Answer{200, ""}, Answer{201, "{}"}, kUnclear[4], kUnclear[9]}) {
    const Result<Order> order = submit(answer.status, answer.body);
    ASSERT_TRUE(order) << answer.body << order.error().message;
    EXPECT_EQ(order->id.value, "venue-1");
    EXPECT_EQ(looks_, 1);
    EXPECT_EQ(posts_, 1);
  }
}

TEST_F(AlpacaAnswersTest, ANoIsANo) {
  const Result<Order> poor = submit(403, R"({"message":"insufficient buying power"})");
  ASSERT_TRUE(poor) << poor.error().message;
  EXPECT_EQ(poor->status, OrderStatus::rejected);
  EXPECT_EQ(submit(422, R"({"message":"qty must be > 0"})").error().code,
            ErrorCode::invalid_argument);
  EXPECT_EQ(submit(401, "{}").error().code, ErrorCode::unauthenticated);
}

// The account may refuse a second sending because of the first: it was the last order it could
// take.
TEST_F(AlpacaAnswersTest, ANoToASecondSendingMayBeAboutTheFirst) {
  constexpr const char* kNo = R"({"message":"this account has had its orders"})";
  lost_ = 1;
  shown_ = true;
  const Result<Order> taken = submit(403, kNo);
  ASSERT_TRUE(taken) << taken.error().message;
  EXPECT_EQ(taken->status, OrderStatus::new_order);
  EXPECT_EQ(taken->id.value, "venue-1");
  EXPECT_EQ(posts_, 2);
  shown_ = false;
  const Result<Order> refused = submit(403, kNo);
  ASSERT_TRUE(refused) << refused.error().message;
  EXPECT_EQ(refused->status, OrderStatus::rejected);
  EXPECT_EQ(looks_, 1);
  away_ = true;
  const Result<Order> unknown = submit(403, kNo);
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, ErrorCode::unavailable);
}

}  // namespace
}  // namespace alphaswarm::trading
