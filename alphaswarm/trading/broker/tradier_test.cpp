// The Tradier adapter against a server that answers in the documented shapes, and keeps orders.

#include <gtest/gtest.h>

#include <atomic>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <map>
#include <mutex>

#include "alphaswarm/net/http_server.hpp"
#include "alphaswarm/net/task.hpp"
#include "alphaswarm/observability/api/provider.hpp"
#include "alphaswarm/observability/export/memory.hpp"
#include "alphaswarm/observability/tracing.hpp"
#include "alphaswarm/trading/broker/tradier_broker.hpp"

namespace alphaswarm::trading {
namespace {

namespace json = boost::json;
namespace otel = alphaswarm::observability;
using net::HttpRequest;
using net::HttpResponse;
using std::chrono::milliseconds;

class TradierTest : public ::testing::Test {
 protected:
  TradierTest() {
    net::Router router;
    const auto add = [&router, this](std::string method, std::string path,
                                     HttpResponse (TradierTest::*serve)(const HttpRequest&)) {
      net::Route route;
      route.method = std::move(method);
      route.path = std::move(path);
      route.handler = [this, serve](const HttpRequest& request) -> net::task<HttpResponse> {
        if (hold_ && request.method == "POST") {
          arrived_.set();
          (void)co_await let_go_.wait();
        }
        const std::scoped_lock lock(mutex_);
        if (request.headers.get("Authorization").value_or("") != "Bearer secret-token") {
          co_return HttpResponse::json(401, R"({"fault":{"faultstring":"Invalid Access Token"}})");
        }
        co_return (this->*serve)(request);
      };
      router.add(std::move(route));
    };
    add("POST", "/v1/accounts/VA1/orders", &TradierTest::place);
    add("GET", "/v1/accounts/VA1/orders", &TradierTest::list);
    add("GET", "/v1/accounts/VA1/orders/{id}", &TradierTest::one);
    add("DELETE", "/v1/accounts/VA1/orders/{id}", &TradierTest::cancel);
    add("GET", "/v1/accounts/VA1/balances", &TradierTest::balances);
    add("GET", "/v1/accounts/VA1/positions", &TradierTest::positions);
    add("GET", "/v1/markets/quotes", &TradierTest::quotes);
    auto started = net::HttpServer::start(server_runtime_, std::move(router), {});
    EXPECT_TRUE(started);
    server_ = std::move(*started);
    otel::Config config;
    config.service_name = "test";
    config.sink = sink_;
    provider_ = std::move(*otel::TracerProvider::create(std::move(config)));
    provider_->install_as_default();
    broker_ = make_broker("secret-token");
  }

  std::unique_ptr<TradierBroker> make_broker(std::string token, TradierConfig config = {}) {
    config.base_url = "http://127.0.0.1:" + std::to_string(server_->port());
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

  // ---- the server

  HttpResponse place(const HttpRequest& request) {
    ++posts_;
    EXPECT_EQ(request.headers.get("Content-Type").value_or(""),
              "application/x-www-form-urlencoded");
    last_form_ = request.body;
    const auto value = [&](const std::string& key) {
      const std::size_t at = request.body.find("&" + key + "=");
      if (at == std::string::npos) return std::string();
      const std::size_t start = at + key.size() + 2;
      return request.body.substr(start, request.body.find('&', start) - start);
    };
    if (fail_before_ > 0) {
      --fail_before_;
      HttpResponse failed = HttpResponse::json(fail_status_, "{}");
      if (!expiry_.empty()) failed.headers.set("X-Ratelimit-Expiry", expiry_);
      return failed;
    }
    if (value("quantity") == "5000") {
      return HttpResponse::json(
          400, R"({"errors":{"error":["Backoffice rejected override","Buying power"]}})");
    }
    const std::int64_t id = 1000 + static_cast<std::int64_t>(orders_.size());
    (late_ ? on_their_way_ : orders_)[id] = {{"id", id},
                                             {"type", value("type")},
                                             {"symbol", value("symbol")},
                                             {"side", value("side")},
                                             {"quantity", std::stod(value("quantity"))},
                                             {"status", "open"},
                                             {"duration", value("duration")},
                                             {"avg_fill_price", 0.0},
                                             {"exec_quantity", 0.0},
                                             {"class", "equity"},
                                             {"tag", value("tag")},
                                             {"create_date", "2018-06-01T12:02:29.682Z"}};
    if (late_ || fail_after_ > 0) {
      --fail_after_;
      return HttpResponse::json(504, "{}");
    }
    return HttpResponse::json(
        200, json::serialize(
                 json::object{{"order", {{"id", id}, {"status", "ok"}, {"partner_id", "p"}}}}));
  }
  static HttpResponse json_reply(const json::value& body) {
    return HttpResponse::json(200, json::serialize(body));
  }
  // An object for one, a list for more, the text "null" for none: as Tradier does it.
  HttpResponse list(const HttpRequest& request) {
    EXPECT_EQ(request.query_param("includeTags").value_or(""), "true");
    if (orders_.empty()) return json_reply({{"orders", "null"}});
    if (orders_.size() == 1) return json_reply({{"orders", {{"order", orders_.begin()->second}}}});
    json::array all;
    for (const auto& [id, one] : orders_) all.push_back(one);
    return json_reply(json::object{{"orders", json::object{{"order", std::move(all)}}}});
  }
  json::object* find(const HttpRequest& request) {
    const auto at = orders_.find(std::atoll(std::string(*request.path_param("id")).c_str()));
    return at == orders_.end() ? nullptr : &at->second;
  }
  HttpResponse one(const HttpRequest& request) {
    const json::object* found = find(request);
    if (found == nullptr) return HttpResponse::text(404, "order not found");
    return json_reply(json::object{{"order", *found}});
  }
  HttpResponse cancel(const HttpRequest& request) {
    json::object* found = find(request);
    if (found == nullptr) return HttpResponse::text(404, "order not found");
    if (found->at("status").as_string() != "open") {
      return HttpResponse::text(400, "order already in finalized state");
    }
    (*found)["status"] = "canceled";
    return json_reply(json::object{{"order", {{"id", found->at("id")}, {"status", "ok"}}}});
  }
  HttpResponse balances(const HttpRequest&) {
    return HttpResponse::json(200, R"({"balances":{"account_number":"VA1","account_type":"margin",
      "total_equity":17798.36,"total_cash":14343.78,"margin":{"stock_buying_power":28687.56}}})");
  }
  HttpResponse positions(const HttpRequest&) {
    return HttpResponse::json(200, R"({"positions":{"position":{"cost_basis":2070.1,"id":130089,
      "date_acquired":"2018-08-08T14:41:11.405Z","quantity":10.0,"symbol":"AAPL"}}})");
  }
  HttpResponse quotes(const HttpRequest&) {
    return HttpResponse::json(200, R"({"quotes":{"quote":{"symbol":"AAPL","last":208.5}}})");
  }

  net::Runtime server_runtime_{"tradier", 1};
  net::Runtime client_runtime_{"client", 1};
  net::HttpClient http_{client_runtime_};
  std::unique_ptr<net::HttpServer> server_;
  std::atomic<bool> hold_{false};  // orders are held back from when they arrive …
  net::AsyncEvent arrived_;
  net::AsyncEvent let_go_;  // … until this is set
  std::mutex mutex_;
  std::map<std::int64_t, json::object> orders_, on_their_way_;
  bool late_ = false;  // orders get no answer and do not show yet
  int posts_ = 0, fail_before_ = 0, fail_after_ = 0, fail_status_ = 503;
  std::string last_form_, expiry_;
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
  EXPECT_EQ(last_form_,
            "class=equity&symbol=AAPL&side=buy&quantity=10&type=limit&duration=day"
            "&tag=run-000001&price=99.5");
  EXPECT_EQ(placed->id.value, "1000");
  EXPECT_EQ(placed->status, OrderStatus::new_order);
  EXPECT_EQ(placed->request.symbol.text(), "AAPL.NASDAQ");
  EXPECT_EQ(wait(broker_->query_open_orders())->size(), 1U);
  EXPECT_EQ(wait(broker_->query_order(ClientOrderId{"run-000001"}))->id, placed->id);
  orders_[1000]["status"] = "filled";
  orders_[1000]["exec_quantity"] = 10.0;
  orders_[1000]["avg_fill_price"] = 99.25;
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
  fail_after_ = 1;
  const Result<Order> placed = wait(broker_->submit_order(order("once")));
  ASSERT_TRUE(placed) << placed.error().message;
  EXPECT_EQ(orders_.size(), 1U);
  EXPECT_EQ(posts_, 1);
  EXPECT_EQ(waits_.size(), 1U);  // it waited before it asked
  ASSERT_TRUE(wait(broker_->submit_order(order("once"))));
  EXPECT_EQ(posts_, 1);
  EXPECT_EQ(wait(broker_->submit_order(order("once", 11))).error().code, ErrorCode::already_exists);
}

// It may arrive after any look, so it is looked for and never sent again.
TEST_F(TradierTest, AnOrderOfUnknownFateIsNeverSentTwice) {
  late_ = true;
  EXPECT_EQ(wait(broker_->submit_order(order("late"))).error().code, ErrorCode::unavailable);
  EXPECT_EQ(waits_.size(), 3U);  // it looked after each
  EXPECT_EQ(wait(broker_->submit_order(order("late"))).error().code, ErrorCode::unavailable);
  EXPECT_EQ(posts_, 1);
  EXPECT_EQ(wait(broker_->query_order(ClientOrderId{"late"})).error().code, ErrorCode::not_found);
  orders_.merge(on_their_way_);
  const Result<Order> placed = wait(broker_->submit_order(order("late")));
  ASSERT_TRUE(placed) << placed.error().message;
  EXPECT_EQ(placed->id.value, "1000");
  EXPECT_EQ(posts_, 1);
  EXPECT_EQ(orders_.size(), 1U);
}

TEST_F(TradierTest, TwoSubmissionsAtOnceAreOneOrder) {
  hold_ = true;
  const auto first = [this]() -> net::task<Result<Order>> {
    co_return co_await broker_->submit_order(order("both"));
  };
  const auto second = [this]() -> net::task<Result<Order>> {
    (void)co_await arrived_.wait();  // the first has no answer yet
    Result<Order> answer = co_await broker_->submit_order(order("both"));
    let_go_.set();
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
  EXPECT_EQ(posts_, 1);
  EXPECT_EQ(wait(broker_->submit_order(order("both")))->id, sent->id);
  EXPECT_EQ(posts_, 1);
}

// The venue takes the order all the same, some time after nobody waits for it any more.
TEST_F(TradierTest, AnOrderWhoseSenderGaveUpIsNotSentAgain) {
  hold_ = true;
  const auto give_up = [this]() -> net::task<void> {
    co_await net::race(broker_->submit_order(order("gone")), arrived_.wait());
  };
  wait(give_up());
  hold_ = false;
  const Result<Order> again = wait(broker_->submit_order(order("gone")));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::unavailable);
  EXPECT_EQ(posts_, 0);
  let_go_.set();
}

TEST_F(TradierTest, OfTooManyOnTheirWayTheOldestIsForgotten) {
  TradierConfig config;
  config.max_on_their_way = 2;
  broker_ = make_broker("secret-token", config);
  late_ = true;
  for (const char* id : {"b", "a", "c"}) {
    EXPECT_EQ(wait(broker_->submit_order(order(id))).error().code, ErrorCode::unavailable);
  }
  EXPECT_EQ(posts_, 3);
  EXPECT_EQ(wait(broker_->submit_order(order("a"))).error().code, ErrorCode::unavailable);
  EXPECT_EQ(posts_, 3);
}

// A definite no leaves nothing behind: the same id may be used for what the venue can take.
TEST_F(TradierTest, ARefusedOrderMayBeSentAgain) {
  EXPECT_EQ(wait(broker_->submit_order(order("big", 5000)))->status, OrderStatus::rejected);
  EXPECT_TRUE(wait(broker_->submit_order(order("big"))));
  EXPECT_EQ(posts_, 2);
}

TEST_F(TradierTest, TooManyCallsWaitForTheEndOfTheMinute) {
  fail_before_ = 1;
  fail_status_ = 429;
  expiry_ = std::to_string(now_unix().value / 1'000'000 + 30'000);
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
  orders_[1000]["status"] = "partially_filled";
  orders_[1000]["exec_quantity"] = 4.0;
  orders_[1000]["avg_fill_price"] = 100.0;
  const auto part = wait((*stream)->next());
  EXPECT_EQ((*part)->event, "partial_fill");
  EXPECT_EQ((*part)->fill->quantity.to_string(), "4");
  orders_[1000]["status"] = "filled";
  orders_[1000]["exec_quantity"] = 10.0;
  orders_[1000]["avg_fill_price"] = 103.0;
  const auto rest = wait((*stream)->next());
  EXPECT_EQ((*rest)->event, "fill");
  EXPECT_EQ((*rest)->fill->price.to_string(), "105");  // (10 · 103 − 4 · 100) / 6
}

}  // namespace
}  // namespace alphaswarm::trading
