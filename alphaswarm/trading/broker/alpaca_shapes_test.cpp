// Alpaca's own shapes, as its documentation shows them, and those of accounts that do more than we
// do: other order types, several legs, binary frames.

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "alphaswarm/net/http_server.hpp"
#include "alphaswarm/net/task.hpp"
#include "alphaswarm/net/websocket.hpp"
#include "alphaswarm/trading/broker/alpaca_broker.hpp"
#include "alphaswarm/trading/broker/alpaca_json.hpp"

namespace alphaswarm::trading {
namespace {

namespace json = boost::json;
using net::HttpRequest;
using net::HttpResponse;

// A documented order with parts of it changed.
std::string order_text(const std::string& changes = "{}") {
  json::object order = json::parse(R"({
    "id": "61e69015-8549-4bfd-b9c3-01e75843f47d",
    "client_order_id": "eb9e2aaa-f71a-4f51-b5b4-52a6c565dad4",
    "created_at": "2021-03-16T18:38:01.942282Z", "updated_at": "2021-03-16T18:38:01.942282Z",
    "submitted_at": "2021-03-16T18:38:01.937734Z", "filled_at": null, "expired_at": null,
    "canceled_at": null, "failed_at": null, "replaced_at": null, "replaced_by": null,
    "replaces": null, "asset_id": "b0b6dd9d-8b9b-48a9-ba46-b9d54906e415", "symbol": "AAPL",
    "asset_class": "us_equity", "notional": null, "qty": "10", "filled_qty": "4",
    "filled_avg_price": "120.5", "order_class": "", "order_type": "limit", "type": "limit",
    "side": "buy", "time_in_force": "day", "limit_price": "121", "stop_price": null,
    "status": "partially_filled", "extended_hours": false, "legs": null, "trail_percent": null,
    "trail_price": null, "hwm": null})")
                           .as_object();
  for (const auto& [key, value] : json::parse(changes).as_object()) order[key] = value;
  return json::serialize(order);
}

const SymbolLookup kLookup = [](std::string_view symbol, std::string_view) {
  return *VtSymbol::parse(std::string(symbol) + ".US");
};

TEST(AlpacaShapes, ADocumentedOrder) {
  const Result<Order> order = read_order(json::parse(order_text()), kLookup);
  ASSERT_TRUE(order) << order.error().message;
  EXPECT_EQ(order->id.value, "61e69015-8549-4bfd-b9c3-01e75843f47d");
  EXPECT_EQ(order->request.symbol.text(), "AAPL.US");
  EXPECT_EQ(order->request.type, OrderType::limit);
  EXPECT_EQ(order->request.limit_price, Price::of(121));
  EXPECT_EQ(order->status, OrderStatus::partial);
  EXPECT_EQ(order->filled, Quantity::of(4));
  EXPECT_EQ(order->average_price, Price::of(120.5));
}

TEST(AlpacaShapes, EveryStatus) {
  const std::pair<const char*, OrderStatus> table[] = {
      {"new", OrderStatus::new_order},
      {"accepted", OrderStatus::new_order},
      {"pending_new", OrderStatus::submitting},
      {"partially_filled", OrderStatus::partial},
      {"filled", OrderStatus::filled},
      {"done_for_day", OrderStatus::expired},
      {"canceled", OrderStatus::cancelled},
      {"expired", OrderStatus::expired},
      {"replaced", OrderStatus::cancelled},
      {"pending_cancel", OrderStatus::new_order},
      {"pending_replace", OrderStatus::new_order},
      {"pending_review", OrderStatus::new_order},
      {"accepted_for_bidding", OrderStatus::new_order},
      {"rejected", OrderStatus::rejected},
      {"suspended", OrderStatus::new_order},
      {"stopped", OrderStatus::new_order},
      {"calculated", OrderStatus::new_order},
      {"held", OrderStatus::new_order},
  };
  for (const auto& [word, status] : table) {
    const std::string text =
        order_text(R"({"filled_qty": "0", "status": ")" + std::string(word) + R"("})");
    const Result<Order> order = read_order(json::parse(text), kLookup);
    ASSERT_TRUE(order) << word << ": " << order.error().message;
    EXPECT_EQ(order->status, status) << word;
  }
}

// It is done for that day only.
TEST(AlpacaShapes, AnOrderOfManyDaysGoesOnAfterADay) {
  const auto status = [](const std::string& changes) {
    const Result<Order> order = read_order(
        json::parse(order_text(R"({"status": "done_for_day", )" + changes + "}")), kLookup);
    EXPECT_TRUE(order) << order.error().message;
    return order ? order->status : OrderStatus::rejected;
  };
  EXPECT_EQ(status(R"("time_in_force": "gtc", "filled_qty": "0")"), OrderStatus::new_order);
  EXPECT_EQ(status(R"("time_in_force": "gtc", "filled_qty": "4")"), OrderStatus::partial);
  EXPECT_EQ(status(R"("time_in_force": "day", "filled_qty": "4")"), OrderStatus::expired);
  EXPECT_EQ(status(R"("time_in_force": "cls", "filled_qty": "0")"), OrderStatus::expired);
}

// Fractions of shares come with nine places.
TEST(AlpacaShapes, PlacesBeyondOursAreRounded) {
  const Result<Order> order =
      read_order(json::parse(order_text(R"({"qty": "100", "filled_qty": "72.865432211",
                                            "filled_avg_price": "120.500000005"})")),
                 kLookup);
  ASSERT_TRUE(order) << order.error().message;
  EXPECT_EQ(order->filled.to_string(), "72.86543221");
  EXPECT_EQ(order->average_price.to_string(), "120.50000001");
  const Result<BrokerPosition> position = read_position(
      json::parse(R"({"symbol": "AAPL", "side": "short", "qty": "-0.333333333333333333333333333",
                      "avg_entry_price": "0.000000004", "current_price": "100.0000000000"})"),
      kLookup);
  ASSERT_TRUE(position) << position.error().message;
  EXPECT_EQ(position->quantity.to_string(), "-0.33333333");
  EXPECT_EQ(position->average_cost.to_string(), "0");
  EXPECT_EQ(position->mark.to_string(), "100");
  EXPECT_FALSE(read_order(json::parse(order_text(R"({"filled_qty": "1.2.3"})")), kLookup));
}

// What an account shared with other programs holds besides.
constexpr const char* kForeign[] = {R"({"type": "trailing_stop", "trail_percent": "2"})",
                                    R"({"side": null, "order_class": "mleg", "symbol": null})",
                                    R"({"status": "a_word_of_tomorrow"})"};

class AlpacaShapesTest : public ::testing::Test {
 protected:
  AlpacaShapesTest() {
    net::Router router;
    net::Route orders;
    orders.method = "GET";
    orders.path = "/v2/orders";
    orders.handler = [](const HttpRequest&) -> net::task<HttpResponse> {
      std::string body = "[";
      for (const char* foreign : kForeign) body += order_text(foreign) + ",";
      co_return HttpResponse::json(200, body + order_text() + "]");
    };
    router.add(std::move(orders));
    router.add_websocket("/stream",
                         [](const HttpRequest&, net::WebSocket& socket) { return tell(socket); });
    auto started = net::HttpServer::start(runtime_, std::move(router), {});
    EXPECT_TRUE(started);
    server_ = std::move(*started);
  }

  static net::task<void> tell(net::WebSocket& socket) {
    // As Alpaca's paper accounts do: what it says is JSON in binary frames.
    (void)co_await socket.receive();
    (void)co_await socket.send_binary(
        R"({"stream":"authorization","data":{"status":"authorized","action":"authenticate"}})");
    (void)co_await socket.receive();
    (void)co_await socket.send_binary(
        R"({"stream":"listening","data":{"streams":["trade_updates"]}})");
    const std::string head = R"({"stream":"trade_updates","data":{"event":")";
    for (const char* foreign : kForeign) {
      (void)co_await socket.send_binary(head + R"(new","order":)" + order_text(foreign) + "}}");
    }
    (void)co_await socket.send_binary(
        head + R"(partial_fill","execution_id":"e-1","price":"120.5","qty":"4",)" +
        R"("position_qty":"4","timestamp":"2021-03-16T18:38:02Z","order":)" + order_text() + "}}");
    while (co_await next_message(socket)) {
    }
  }
  static net::task<bool> next_message(net::WebSocket& socket) {
    const auto message = co_await socket.receive();
    co_return message && *message;
  }

  AlpacaConfig config() const {
    AlpacaConfig config;
    config.base_url = "http://127.0.0.1:" + std::to_string(server_->port());
    config.key_id = "key";
    config.secret_key = "secret";
    config.rate_limit = {};
    return config;
  }

  net::Runtime runtime_{"test", 2};
  net::HttpClient http_{runtime_};
  std::unique_ptr<net::HttpServer> server_;
};

TEST_F(AlpacaShapesTest, OrdersOfOthersDoNotHideOurs) {
  AlpacaBroker broker(config(), http_);
  const auto open = net::block_on(runtime_, broker.query_open_orders());
  ASSERT_TRUE(open) << open.error().message;
  ASSERT_EQ(open->size(), 1U);
  EXPECT_EQ(open->front().filled, Quantity::of(4));
}

TEST_F(AlpacaShapesTest, UpdatesOfOthersDoNotEndTheStream) {
  AlpacaBroker broker(config(), http_);
  const auto listen = [&]() -> net::task<Result<std::optional<BrokerUpdate>>> {
    auto stream = co_await broker.stream_order_updates();
    if (!stream) co_return std::unexpected(stream.error());
    auto update = co_await (*stream)->next();
    co_await (*stream)->close();
    co_return update;
  };
  const auto update = net::block_on(runtime_, listen());
  ASSERT_TRUE(update) << update.error().message;
  ASSERT_TRUE(update->has_value());
  EXPECT_EQ((*update)->event, "partial_fill");
  ASSERT_TRUE((*update)->fill);
  EXPECT_EQ((*update)->fill->price, Price::of(120.5));
}

TEST_F(AlpacaShapesTest, TheRateLimitIsKeptByWaiting) {
  AlpacaConfig limited = config();
  limited.rate_limit = {.per_second = 2, .burst = 2};
  std::vector<std::chrono::nanoseconds> waits;
  limited.waiting.sleep = [&](std::chrono::nanoseconds wait) -> net::task<Result<void>> {
    waits.push_back(wait);
    co_return Result<void>();
  };
  AlpacaBroker broker(std::move(limited), http_);
  for (int i = 0; i < 4; ++i) {
    EXPECT_TRUE(net::block_on(runtime_, broker.query_open_orders()));
  }
  ASSERT_EQ(waits.size(), 2U) << "two calls may go at once";
  EXPECT_GT(waits[0], std::chrono::milliseconds(100));
  EXPECT_GT(waits[1], waits[0]);
}

}  // namespace
}  // namespace alphaswarm::trading
