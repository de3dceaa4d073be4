// What an exchange that was restarted has forgotten, and what must not repeat itself then.

#include <set>

#include "alphaswarm/trading/exchange/exchange_fixture.hpp"

namespace alphaswarm::trading::exchange {
namespace {

class AccountsTest : public ExchangeFixture {
 protected:
  void restart() {
    exchange_->stop();
    start();
  }
  std::string order_id(const std::string& client_id) {
    const Answered placed = call("POST", "/v2/orders", order_body(client_id, "buy", "1"));
    EXPECT_EQ(placed.status, 200) << placed.text;
    return placed.status == 200 ? text(placed.body, "id") : std::string();
  }
};

TEST_F(AccountsTest, OrderIdsDoNotComeAgainAfterARestart) {
  start();
  std::set<std::string> ids;
  for (const char* client_id : {"first", "second", "third"}) {
    ASSERT_EQ(advance(0, 99, 100).status, 200);
    ids.insert(order_id(client_id));
    restart();
  }
  EXPECT_EQ(ids.size(), 3U);
}

// A session that resumes repeats its orders: they are the same ones.
TEST_F(AccountsTest, OrderIdsOfARestoredAccountAreThoseOfItsPlace) {
  start();
  const auto restored = [this](int bar_index) {
    const Answered opened =
        call("POST", "/sim/v1/account",
             R"({"restore":{"cash":"900","bars":[{"symbol":"AAPL.NASDAQ","t":"2020-01-10","o":1,)"
             R"("h":1,"l":1,"c":1,"v":1}],"bar_index":)" +
                 std::to_string(bar_index) + "}}");
    EXPECT_TRUE(opened.body.at("created").as_bool()) << opened.text;
    std::string id = order_id("again");
    restart();
    return id;
  };
  const std::string id = restored(9);
  EXPECT_EQ(restored(9), id);
  EXPECT_NE(restored(10), id);
}

// A session whose exchange was restarted is told so, and restores its account.
TEST_F(AccountsTest, AMarketThatWasForgottenDoesNotGoOnByItself) {
  start();
  const Answered refused = advance(7, 99, 100);
  EXPECT_EQ(refused.status, 404);
  EXPECT_NE(refused.text.find("was not opened"), std::string::npos) << refused.text;
  EXPECT_EQ(call("POST", "/v2/orders", order_body("one", "buy", "1")).status, 404);
  EXPECT_EQ(text(call("GET", "/v2/account").body, "cash"), "100000");
  const Answered opened =
      call("POST", "/sim/v1/account",
           R"({"restore":{"bar_index":6,"cash":"900","bars":[{"symbol":"AAPL.NASDAQ",)"
           R"("t":"2020-01-07","o":100,"h":100,"l":100,"c":100,"v":1}]}})");
  EXPECT_TRUE(opened.body.at("created").as_bool()) << opened.text;
  EXPECT_EQ(text(opened.body.at("account"), "cash"), "900");
  EXPECT_EQ(advance(7, 99, 100).status, 200);
}

TEST_F(AccountsTest, AMarketMayBeginAnywhereOnceItsAccountIsOpen) {
  start();
  EXPECT_EQ(advance(0, 99, 100, "unopened").status, 200);
  EXPECT_EQ(advance(5, 99, 100, "unopened").status, 200);
  ASSERT_EQ(call("POST", "/sim/v1/account", "{}").status, 200);
  EXPECT_EQ(advance(7, 99, 100).status, 200);
}

}  // namespace
}  // namespace alphaswarm::trading::exchange
