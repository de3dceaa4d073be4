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

}  // namespace
}  // namespace alphaswarm::trading::exchange
