#include "alphaswarm/trading/exchange/exchange.hpp"

#include "alphaswarm/trading/exchange/exchange_fixture.hpp"

namespace alphaswarm::trading::exchange {
namespace {

namespace json = boost::json;

using ExchangeTest = ExchangeFixture;

TEST_F(ExchangeTest, CallersMustSayWhoTheyAre) {
  start();
  const Answered refused = call("GET", "/v2/account", "", "");
  EXPECT_EQ(refused.status, 401);
  EXPECT_EQ(refused.text, R"({"code":40110000,"message":"request is not authorized"})");
  EXPECT_EQ(call("GET", "/health", "", "").status, 200);
}

TEST_F(ExchangeTest, UnknownPathsAnswerAsAlpacaDoes) {
  start();
  const Answered answer = call("GET", "/v2/nothing");
  EXPECT_EQ(answer.status, 404);
  EXPECT_EQ(answer.text, R"({"code":40410000,"message":"endpoint not found"})");
}

TEST_F(ExchangeTest, AMarketOrderFillsAtTheNextOpen) {
  start();
  ASSERT_EQ(advance(0, 99, 100).status, 200);
  const Answered placed = call("POST", "/v2/orders", order_body("one", "buy", "10"));
  ASSERT_EQ(placed.status, 200) << placed.text;
  EXPECT_EQ(text(placed.body, "status"), "new");
  EXPECT_EQ(text(placed.body, "symbol"), "AAPL.NASDAQ");
  EXPECT_EQ(text(placed.body, "submitted_at"), "2020-01-01T00:00:00.000000000Z");
  EXPECT_TRUE(placed.body.at("filled_avg_price").is_null());

  const Answered step = advance(1, 110, 120);
  ASSERT_EQ(step.status, 200) << step.text;
  const json::array& updates = step.body.at("updates").as_array();
  ASSERT_EQ(updates.size(), 1U);
  EXPECT_EQ(text(updates[0], "event"), "fill");
  EXPECT_EQ(text(updates[0], "price"), "110.022");  // 110 and 2 basis points
  EXPECT_EQ(text(updates[0], "qty"), "10");
  EXPECT_EQ(text(updates[0], "position_qty"), "10");
  EXPECT_EQ(text(updates[0], "execution_id").size(), 36U);

  const Answered order = call("GET", "/v2/orders/" + text(placed.body, "id"));
  EXPECT_EQ(text(order.body, "status"), "filled");
  EXPECT_EQ(text(order.body, "filled_avg_price"), "110.022");
  EXPECT_EQ(text(order.body, "filled_at"), "2020-01-02T00:00:00.000000000Z");
  const Answered account = call("GET", "/v2/account");
  // 100000 − 10 · 110.022 − 0.0005 · 1100.22; then ten shares at 120.
  EXPECT_EQ(text(account.body, "cash"), "98899.22989");
  EXPECT_EQ(text(account.body, "equity"), "100099.22989");
  EXPECT_EQ(account.body.at("id").as_string().size(), 36U);
  const Answered position = call("GET", "/v2/positions/AAPL");
  EXPECT_EQ(text(position.body, "qty"), "10");
  EXPECT_EQ(text(position.body, "side"), "long");
  EXPECT_EQ(text(position.body, "exchange"), "NASDAQ");
  EXPECT_EQ(text(position.body, "avg_entry_price"), "110.022");
  EXPECT_EQ(call("GET", "/v2/positions").body.as_array().size(), 1U);
}

TEST_F(ExchangeTest, AClientIdIsUsedOnceAndItsOrderCanBeFound) {
  start();
  advance(0, 99, 100);
  const Answered first = call("POST", "/v2/orders", order_body("same", "buy", "1"));
  const Answered again = call("POST", "/v2/orders", order_body("same", "buy", "1"));
  EXPECT_EQ(again.status, 422);
  EXPECT_EQ(again.text, R"({"code":40010001,"message":"client_order_id must be unique"})");
  const Answered found = call("GET", "/v2/orders:by_client_order_id?client_order_id=same");
  EXPECT_EQ(found.status, 200);
  EXPECT_EQ(text(found.body, "id"), text(first.body, "id"));
  EXPECT_EQ(call("GET", "/v2/orders?status=all").body.as_array().size(), 1U);
  EXPECT_EQ(call("GET", "/v2/orders:by_client_order_id?client_order_id=other").status, 404);
}

TEST_F(ExchangeTest, WrongOrdersGetTheirReason) {
  start();
  advance(0, 99, 100);
  const auto expect = [&](const std::string& body, int status, const std::string& part) {
    const Answered answer = call("POST", "/v2/orders", body);
    EXPECT_EQ(answer.status, status) << body;
    EXPECT_NE(answer.text.find(part), std::string::npos) << answer.text;
    EXPECT_TRUE(answer.body.at("code").is_int64());
  };
  const std::string rest = R"("side":"buy","type":"market","time_in_force":"day"})";
  expect("{", 400, "JSON object");
  expect("[]", 400, "JSON object");
  expect(R"({"symbol":"AAPL","qty":"x",)" + rest, 422, "qty");
  expect(R"({"symbol":"AAPL","qty":0,)" + rest, 422, "quantity");
  expect(R"({"symbol":"AAPL","qty":"-5",)" + rest, 422, "quantity");
  expect(R"({"symbol":"AAPL",)" + rest, 422, "qty is required");
  expect(R"({"symbol":"NOPE","qty":1,)" + rest, 422, "asset not found for NOPE");
  expect(R"({"qty":1,)" + rest, 422, "symbol is required");
  expect(R"({"symbol":"AAPL","qty":1,"side":"hold","type":"market","time_in_force":"day"})", 422,
         "hold");
  expect(R"({"symbol":"AAPL","qty":1,"side":"buy","type":"magic","time_in_force":"day"})", 422,
         "magic");
  expect(R"({"symbol":"AAPL","qty":1,"side":"buy","type":"market","time_in_force":"fok"})", 422,
         "fok");
  expect(R"({"symbol":"AAPL","qty":1,"side":"buy","type":"limit","time_in_force":"day"})", 422,
         "limit");
  expect(R"({"symbol":"AAPL","notional":1000,"qty":1,)" + rest, 422, "notional");
  expect(R"({"symbol":"AAPL","qty":1,"order_class":"bracket",)" + rest, 422, "bracket");
  EXPECT_EQ(call("GET", "/v2/orders?status=all").body.as_array().size(), 0U);
}

TEST_F(ExchangeTest, TheAccountRefusesWhatItCannotPay) {
  start();
  advance(0, 99, 100);
  const Answered refused = call("POST", "/v2/orders", order_body("big", "buy", "2000"));
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(refused.body.at("code").as_int64(), 40310000);
  EXPECT_NE(refused.text.find("insufficient buying power"), std::string::npos);
  const Answered kept = call("GET", "/v2/orders:by_client_order_id?client_order_id=big");
  EXPECT_EQ(text(kept.body, "status"), "rejected");
  EXPECT_EQ(call("POST", "/v2/orders", order_body("short", "sell", "1")).status, 403);
}

TEST_F(ExchangeTest, CancellingWorksOnce) {
  start();
  advance(0, 99, 100);
  const std::string id = text(call("POST", "/v2/orders", order_body("one", "buy", "1")).body, "id");
  const Answered cancelled = call("DELETE", "/v2/orders/" + id);
  EXPECT_EQ(cancelled.status, 204);
  EXPECT_EQ(cancelled.text, "");
  EXPECT_EQ(call("DELETE", "/v2/orders/" + id).status, 422);
  EXPECT_EQ(call("DELETE", "/v2/orders/none").status, 404);
  EXPECT_EQ(call("GET", "/v2/orders").body.as_array().size(), 0U);
  EXPECT_TRUE(advance(1, 100, 100).body.at("updates").as_array().empty());
  call("POST", "/v2/orders", order_body("two", "buy", "1"));
  call("POST", "/v2/orders", order_body("three", "buy", "1"));
  EXPECT_EQ(call("DELETE", "/v2/orders").body.as_array().size(), 2U);
}

TEST_F(ExchangeTest, OrdersAreListedByFilter) {
  start();
  advance(0, 99, 100);
  for (const char* id : {"a", "b", "c"}) call("POST", "/v2/orders", order_body(id, "buy", "1"));
  const auto ids = [&](const std::string& query) {
    std::string joined;
    const Answered answer = call("GET", "/v2/orders?" + query);
    for (const json::value& order : answer.body.as_array())
      joined += text(order, "client_order_id");
    return joined;
  };
  EXPECT_EQ(ids("status=open"), "cba");
  EXPECT_EQ(ids("status=all&direction=asc&limit=2"), "ab");
  EXPECT_EQ(ids("status=closed"), "");
  EXPECT_EQ(ids("symbols=AAPL,MSFT"), "cba");
  EXPECT_EQ(ids("symbols=MSFT"), "");
  EXPECT_EQ(ids("side=sell"), "");
  for (const char* bad : {"status=some", "limit=0", "limit=501", "limit=x", "direction=up",
                          "after=yesterday", "side=left"}) {
    EXPECT_EQ(call("GET", std::string("/v2/orders?") + bad).status, 422) << bad;
  }
}

TEST_F(ExchangeTest, ARepeatedBarChangesNothing) {
  start();
  advance(0, 99, 100);
  call("POST", "/v2/orders", order_body("one", "buy", "10"));
  const Answered first = advance(1, 110, 120);
  const Answered again = advance(1, 110, 120);
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(again.text, first.text);
  EXPECT_TRUE(again.headers.contains("X-Sim-Repeated"));
  EXPECT_FALSE(first.headers.contains("X-Sim-Repeated"));
  advance(2, 120, 121);
  EXPECT_EQ(advance(1, 110, 120).text, first.text);  // also when the market has moved on
  EXPECT_EQ(text(call("GET", "/v2/positions/AAPL").body, "qty"), "10");
  EXPECT_EQ(advance(1, 110, 119).status, 422);  // another bar under a number that went by
  EXPECT_EQ(call("POST", "/sim/v1/advance", bar_body(3, 1, 1).replace(0, 0, " ")).status, 200);
}

TEST_F(ExchangeTest, StepsMustMakeSense) {
  start();
  ASSERT_EQ(call("POST", "/sim/v1/account").status, 200);
  advance(5, 99, 100);
  const auto refused = [&](const std::string& body) {
    const Answered answer = call("POST", "/sim/v1/advance", body);
    EXPECT_TRUE(answer.status == 422 || answer.status == 400) << body << answer.text;
    return answer.text;
  };
  refused("");
  refused("{}");
  refused(R"({"bar_index":-1,"bars":[]})");
  refused(R"({"bar_index":6,"bars":[]})");
  refused(R"({"bar_index":6,"bars":[1]})");
  refused(R"({"bar_index":6,"symbol":"AAPL","bar":{}})");
  refused(
      R"({"bar_index":6,"symbol":"A.B","bar":{"t":"2020-02-01","o":1,"h":0.5,"l":1,"c":1,"v":1}})");
  refused(
      R"({"bar_index":6,"symbol":"A.B","bar":{"t":"2020-02-01","o":-1,"h":1,"l":1,"c":1,"v":1}})");
  refused(R"({"bar_index":6,"symbol":"A.B","bar":{"t":"whenever","o":1,"h":1,"l":1,"c":1,"v":1}})");
  const std::string early = refused(
      R"({"bar_index":6,"symbol":"AAPL.NASDAQ","bar":{"t":"2020-01-02","o":1,"h":1,"l":1,"c":1,"v":1}})");
  EXPECT_NE(early.find("not after"), std::string::npos) << early;
  EXPECT_EQ(
      call(
          "POST", "/sim/v1/advance",
          R"({"bar_index":6,"symbol":"A.B","bar":{"t":"2020-02-01","o":1,"h":1,"l":1,"c":1,"v":1}})")
          .status,
      200);
}

TEST_F(ExchangeTest, AccountsDoNotSeeEachOther) {
  start();
  advance(0, 99, 100, "alice");
  advance(0, 10, 10, "bob");
  call("POST", "/v2/orders", order_body("same", "buy", "1"), "alice");
  EXPECT_EQ(call("POST", "/v2/orders", order_body("same", "buy", "1"), "bob").status, 200);
  advance(1, 100, 100, "alice");
  EXPECT_EQ(call("GET", "/v2/positions", "", "alice").body.as_array().size(), 1U);
  EXPECT_EQ(call("GET", "/v2/positions", "", "bob").body.as_array().size(), 0U);
}

TEST_F(ExchangeTest, AccountsAreOpenedOnTermsAndBounded) {
  ExchangeConfig config;
  config.max_accounts = 2;
  start(config);
  const std::string terms = R"({"cash":"500","slippage_bps":0,"commission_rate":"0"})";
  const Answered opened = call("POST", "/sim/v1/account", terms, "alice");
  ASSERT_EQ(opened.status, 200) << opened.text;
  EXPECT_TRUE(opened.body.at("created").as_bool());
  EXPECT_EQ(opened.body.at("last_bar_index").as_int64(), -1);
  EXPECT_EQ(text(opened.body.at("account"), "cash"), "500");
  advance(7, 1, 1);
  const Answered again = call("POST", "/sim/v1/account", terms, "alice");
  EXPECT_FALSE(again.body.at("created").as_bool());
  EXPECT_EQ(again.body.at("last_bar_index").as_int64(), 7);
  EXPECT_EQ(call("POST", "/sim/v1/account", R"({"cash":"501"})", "alice").status, 409);
  EXPECT_EQ(call("POST", "/sim/v1/account", R"({"cash":"-1"})", "x").status, 422);
  EXPECT_EQ(call("POST", "/sim/v1/account", R"({"interval":"3d"})", "x").status, 422);

  EXPECT_EQ(call("GET", "/v2/account", "", "bob").status, 200);
  const Answered full = call("GET", "/v2/account", "", "carol");
  EXPECT_EQ(full.status, 403);
  EXPECT_NE(full.text.find("at most 2"), std::string::npos);
  EXPECT_EQ(call("DELETE", "/sim/v1/account", "", "alice").status, 204);
  EXPECT_EQ(call("GET", "/v2/account", "", "alice").status, 200);  // readable until needed
  EXPECT_EQ(call("GET", "/v2/account", "", "carol").status, 200);
  EXPECT_EQ(exchange_->accounts().size(), 2U);
}

TEST_F(ExchangeTest, AForgottenAccountIsRestored) {
  start();
  const Answered opened = call("POST", "/sim/v1/account", R"({"cash":"1000","slippage_bps":0,
      "restore":{"bar_index":9,"cash":"400",
        "positions":[{"symbol":"AAPL.NASDAQ","qty":"5","avg_entry_price":"90","current_price":"99"}],
        "bars":[{"symbol":"AAPL.NASDAQ","t":"2020-01-10","o":98,"h":99,"l":97,"c":99,"v":1}]}})");
  ASSERT_EQ(opened.status, 200) << opened.text;
  EXPECT_EQ(opened.body.at("last_bar_index").as_int64(), 9);
  EXPECT_EQ(text(opened.body.at("account"), "equity"), "895");  // 400 + 5 · 99
  ASSERT_EQ(call("POST", "/v2/orders", order_body("out", "sell", "5")).status, 200);
  const Answered step = advance(10, 100, 100);
  EXPECT_EQ(step.body.at("updates").as_array().size(), 1U) << step.text;
}

TEST_F(ExchangeTest, TroubleOnPurpose) {
  start();
  advance(0, 99, 100);
  ASSERT_EQ(call("POST", "/sim/v1/faults",
                 R"({"fail_next":1,"error_status":429,"retry_after_seconds":7})")
                .status,
            200);
  const Answered refused = call("GET", "/v2/account");
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.headers.get("Retry-After"), "7");
  EXPECT_EQ(refused.body.at("code").as_int64(), 42910000);
  EXPECT_EQ(call("GET", "/v2/account").status, 200);

  call("POST", "/sim/v1/faults", R"({"fail_next":1,"error_status":504,"after_effect":true})");
  EXPECT_EQ(call("POST", "/v2/orders", order_body("lost", "buy", "1")).status, 504);
  EXPECT_EQ(call("GET", "/v2/orders:by_client_order_id?client_order_id=lost").status, 200);

  call("POST", "/sim/v1/faults", R"({"fail_next":1,"garbage":true})");
  EXPECT_TRUE(call("GET", "/v2/account").body.is_null());

  for (const char* bad : {"1", R"({"error_rate":2})", R"({"error_status":200})", R"({"what":1})",
                          R"({"garbage":"yes"})", "{"}) {
    EXPECT_EQ(call("POST", "/sim/v1/faults", bad).status, 422) << bad;
  }
  call("POST", "/sim/v1/faults", R"({"error_rate":0.5,"seed":3})");
  int failures = 0;
  for (int i = 0; i < 60; ++i) failures += call("GET", "/v2/clock").status == 503 ? 1 : 0;
  EXPECT_GT(failures, 10);
  EXPECT_LT(failures, 50);
}

TEST_F(ExchangeTest, PositionsAreClosedAtTheNextOpen) {
  start();
  advance(0, 99, 100);
  call("POST", "/v2/orders", order_body("in", "buy", "3"));
  advance(1, 100, 100);
  EXPECT_EQ(call("DELETE", "/v2/positions/MSFT").status, 404);
  const Answered closed = call("DELETE", "/v2/positions?cancel_orders=true");
  EXPECT_EQ(closed.status, 207);
  ASSERT_EQ(closed.body.as_array().size(), 1U);
  EXPECT_EQ(text(closed.body.as_array()[0].at("body"), "side"), "sell");
  EXPECT_EQ(call("DELETE", "/v2/positions/AAPL").status, 403);  // all of it is being sold
  advance(2, 100, 100);
  EXPECT_TRUE(call("GET", "/v2/positions").body.as_array().empty());
  EXPECT_TRUE(call("GET", "/v2/account/configurations").body.at("no_shorting").as_bool());
}

TEST_F(ExchangeTest, AssetsAndClockFollowTheMarket) {
  start();
  EXPECT_EQ(call("GET", "/v2/assets").body.as_array().size(), 0U);
  advance(0, 99, 100);
  const Answered asset = call("GET", "/v2/assets/AAPL");
  EXPECT_EQ(text(asset.body, "symbol"), "AAPL.NASDAQ");
  EXPECT_EQ(text(asset.body, "class"), "us_equity");
  EXPECT_TRUE(asset.body.at("tradable").as_bool());
  EXPECT_EQ(call("GET", "/v2/assets/MSFT").status, 404);
  EXPECT_EQ(text(call("GET", "/v2/clock").body, "timestamp"), "2020-01-01T00:00:00.000000000Z");
}

TEST_F(ExchangeTest, AReplacementThatIsRefusedLeavesTheOrderAlone) {
  start();
  advance(0, 99, 100);
  const std::string limit =
      R"({"symbol":"AAPL.NASDAQ","qty":"10","side":"buy","type":"limit","limit_price":"50",)"
      R"("time_in_force":"gtc","client_order_id":"first"})";
  const std::string id = text(call("POST", "/v2/orders", limit).body, "id");
  EXPECT_EQ(call("PATCH", "/v2/orders/" + id, R"({"qty":"900000"})").status, 403);
  EXPECT_EQ(call("PATCH", "/v2/orders/" + id, R"({"client_order_id":"first"})").status, 422);
  EXPECT_EQ(call("PATCH", "/v2/orders/" + id, R"({"side":"sell"})").status, 422);
  EXPECT_EQ(text(call("GET", "/v2/orders/" + id).body, "status"), "new");
  const Answered moved = call("PATCH", "/v2/orders/" + id, R"({"limit_price":101})");
  ASSERT_EQ(moved.status, 200) << moved.text;
  EXPECT_EQ(text(moved.body, "replaces"), id);
  EXPECT_EQ(text(call("GET", "/v2/orders/" + id).body, "status"), "replaced");
  advance(1, 100, 100);
  EXPECT_EQ(text(call("GET", "/v2/orders/" + text(moved.body, "id")).body, "status"), "filled");
  EXPECT_EQ(text(call("GET", "/v2/positions/AAPL.NASDAQ").body, "qty"), "10");  // one, not both
}

}  // namespace
}  // namespace alphaswarm::trading::exchange
