// Closing positions, replacing orders, and what an account refuses whatever the order is.

#include "alphaswarm/trading/exchange/exchange_fixture.hpp"

namespace alphaswarm::trading::exchange {
namespace {

namespace json = boost::json;

class PositionsTest : public ExchangeFixture {
 protected:
  // Holds that many from the first bar on.
  void hold(const std::string& quantity, const std::string& side = "buy") {
    ExchangeConfig config;
    config.matching.allow_short = true;
    start(config);
    advance(next_++, 99, 100);
    EXPECT_EQ(call("POST", "/v2/orders", order_body("in", side, quantity)).status, 200);
    advance(next_++, 100, 100);
    EXPECT_EQ(held(), (side == "buy" ? "" : "-") + quantity);
  }
  std::string held(const std::string& field = "qty") {
    return text(call("GET", "/v2/positions/AAPL").body, field);
  }
  Answered close(const std::string& query = "") {
    return call("DELETE", "/v2/positions/AAPL" + query);
  }
  std::string limit_order(const std::string& client_id) {
    return text(call("POST", "/v2/orders",
                     R"({"symbol":"AAPL.NASDAQ","qty":"1","side":"buy","type":"limit",)"
                     R"("limit_price":"50","time_in_force":"gtc","client_order_id":")" +
                         client_id + "\"}")
                    .body,
                "id");
  }
  std::size_t orders_there() {
    return call("GET", "/v2/orders?status=all&limit=500").body.as_array().size();
  }

  int next_ = 0;
};

TEST_F(PositionsTest, AllOfAFractionIsAllOfIt) {
  hold("5.5");
  const Answered closed = close("?percentage=100");
  ASSERT_EQ(closed.status, 200) << closed.text;
  EXPECT_EQ(text(closed.body, "qty"), "5.5");
}

TEST_F(PositionsTest, APartOfAFractionMayBeOne) {
  hold("0.5");
  const Answered closed = close("?percentage=50");
  ASSERT_EQ(closed.status, 200) << closed.text;
  EXPECT_EQ(text(closed.body, "qty"), "0.25");
}

TEST_F(PositionsTest, APartOfWholeSharesIsWhole) {
  hold("5");
  EXPECT_EQ(close("?percentage=101").status, 422);
  EXPECT_EQ(close("?percentage=0").status, 422);
  EXPECT_EQ(close("?qty=2&percentage=50").status, 422);
  EXPECT_EQ(close("?qty=6").status, 422);
  EXPECT_EQ(text(close("?percentage=50").body, "qty"), "2");
}

// alpaca-py sends a DELETE whose answer was a 504 again.
TEST_F(PositionsTest, WhatIsBeingSoldIsNotSoldAgain) {
  hold("10");
  EXPECT_EQ(held("qty_available"), "10");
  EXPECT_EQ(text(close("?qty=4").body, "qty"), "4");
  EXPECT_EQ(held("qty_available"), "6");
  const Answered refused = close();
  EXPECT_EQ(refused.status, 403);
  EXPECT_NE(refused.text.find("insufficient qty available for order (requested: 10, available: 6)"),
            std::string::npos)
      << refused.text;
  EXPECT_EQ(text(close("?qty=6").body, "qty"), "6");
  EXPECT_EQ(held("qty_available"), "0");
  const Answered all = call("DELETE", "/v2/positions");
  EXPECT_EQ(all.body.at(0).at("status").as_int64(), 403);
  advance(next_++, 100, 100);
  EXPECT_TRUE(call("GET", "/v2/positions").body.as_array().empty());
}

TEST_F(PositionsTest, WhatIsBeingBoughtBackIsNotBoughtAgain) {
  hold("10", "sell");
  EXPECT_EQ(text(close().body, "side"), "buy");
  EXPECT_EQ(close().status, 403);
  advance(next_++, 100, 100);
  EXPECT_TRUE(call("GET", "/v2/positions").body.as_array().empty());
}

TEST_F(PositionsTest, ASecondSendingIsToldApartFromTooManyOrders) {
  ExchangeConfig config;
  config.bounds.max_orders = 1;
  start(config);
  advance(0, 99, 100);
  const std::string last = order_body("last", "buy", "1");
  ASSERT_EQ(call("POST", "/v2/orders", last).status, 200);
  EXPECT_EQ(call("POST", "/v2/orders", last).status, 422);
  EXPECT_EQ(call("POST", "/v2/orders", order_body("other", "buy", "1")).status, 403);
  call("PATCH", "/v2/account/configurations", R"({"suspend_trade":true})");
  EXPECT_EQ(call("POST", "/v2/orders", last).status, 422);
}

TEST_F(PositionsTest, AReplacementIsAnOrderToo) {
  ExchangeConfig config;
  config.bounds.max_orders = 2;
  start(config);
  advance(0, 99, 100);
  const std::string id = limit_order("first");
  call("PATCH", "/v2/account/configurations", R"({"suspend_trade":true})");
  EXPECT_EQ(call("PATCH", "/v2/orders/" + id, R"({"limit_price":51})").status, 403);
  call("PATCH", "/v2/account/configurations", R"({"suspend_trade":false})");
  // One the account cannot take leaves nothing behind.
  EXPECT_EQ(call("PATCH", "/v2/orders/" + id, R"({"qty":"900000"})").status, 403);
  EXPECT_EQ(orders_there(), 1U);
  const Answered moved = call("PATCH", "/v2/orders/" + id, R"({"limit_price":52})");
  ASSERT_EQ(moved.status, 200) << moved.text;
  EXPECT_EQ(call("PATCH", "/v2/orders/" + text(moved.body, "id"), R"({"limit_price":53})").status,
            403);
  EXPECT_EQ(orders_there(), 2U);
}

TEST_F(PositionsTest, AfterAndUntilLeaveTheirInstantOut) {
  start();
  for (int i = 0; i < 3; ++i) {
    advance(i, 99, 100);
    limit_order("day-" + std::to_string(i));
  }
  const auto listed = [this](const std::string& query) {
    std::string ids;
    const Answered answer = call("GET", "/v2/orders?status=all&direction=asc" + query);
    for (const json::value& one : answer.body.as_array()) ids += text(one, "client_order_id") + ' ';
    return ids;
  };
  EXPECT_EQ(listed("&after=2020-01-01T00:00:00Z"), "day-1 day-2 ");
  EXPECT_EQ(listed("&until=2020-01-03T00:00:00Z"), "day-0 day-1 ");
  EXPECT_EQ(listed("&after=2020-01-01T00:00:00Z&until=2020-01-03T00:00:00Z"), "day-1 ");
}

}  // namespace
}  // namespace alphaswarm::trading::exchange
