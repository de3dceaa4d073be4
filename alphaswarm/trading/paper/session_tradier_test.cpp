// Sessions at Tradier, over bars of the simulated exchange: a venue that knows no client ids, and
// lists the orders of the day.

#include "alphaswarm/trading/broker/tradier_broker.hpp"
#include "alphaswarm/trading/broker/tradier_server_for_tests.hpp"
#include "alphaswarm/trading/paper/session_live_fixture.hpp"

namespace alphaswarm::trading::paper {
namespace {

class SessionTradierTest : public SessionLiveTest {
 protected:
  SessionTradierTest() {
    TradierConfig config;
    config.base_url = tradier_.url();
    config.token = "secret-token";
    config.account_id = "VA1";
    config.rate_limit = {};
    config.retry = services_.retry;
    config.poll_interval = std::chrono::milliseconds(5);
    tradier_broker_ = std::make_unique<TradierBroker>(std::move(config), *http_);
    services_.live.tradier = tradier_broker_.get();
  }

  json::object tradier_document() { return without_slippage(live_document("tradier", "stream")); }
  static json::object without_slippage(json::object config) {
    config["brokerage"].as_object()["params"].as_object()["slippage_bps"] = 0;
    return config;
  }
  // Tradier fills what is open at the bar's open, as the replay does.
  void move_both() {
    for (const SymbolBar& one : steps_[moved_]) {
      tradier_.fill(one.symbol.ticker(), one.bar.open.to_double());
    }
    move_market();
  }
  void play_both(const Running& running, std::size_t bars) {
    while (moved_ < bars && !running.ended.is_set()) {
      move_both();
      await_bars("live", static_cast<std::int64_t>(moved_), running);
    }
  }
  // Each order of the run is at Tradier once, with what was filled of it.
  void expect_orders_at_tradier(const std::string& run_id) {
    std::size_t sent = 0;
    for (const auto& row : orders_of(run_id)) {
      if (row.status == "rejected" && row.broker_order_id.empty()) continue;  // by the risk gate
      ++sent;
      const auto found = tradier_.orders.find(std::atoll(row.broker_order_id.c_str()));
      ASSERT_NE(found, tradier_.orders.end()) << row.client_order_id << ' ' << row.status;
      const json::object& order = found->second;
      EXPECT_EQ(order.at("tag").as_string(), row.client_order_id);
      EXPECT_EQ(order.at("status").as_string(),
                row.status == "cancelled" ? "canceled" : row.status);
      EXPECT_EQ(order.at("exec_quantity").to_number<double>(), row.filled_quantity.to_double());
    }
    EXPECT_EQ(sent, tradier_.orders.size());
  }

  TradierServer tradier_;
  std::unique_ptr<TradierBroker> tradier_broker_;
};

TEST_F(SessionTradierTest, ASessionFromBeginningToEnd) {
  make_market(120, {"SWING.US", "OTHER.US"});
  Running running;
  launch(running, tradier_document(), "live");
  play_both(running, steps_.size());
  const Result<SessionResult> live = join(running);
  ASSERT_TRUE(live) << live.error().message;
  expect_orders_at_tradier(live->run_id);
  expect_books_closed(live->run_id);
  for (const auto& span : spans()) {
    for (const auto& [key, value] : span.attributes) {
      EXPECT_EQ(value.find("secret-token"), std::string::npos) << span.name << ' ' << key;
    }
  }
  const Result<SessionResult> replay = run(without_slippage(replay_document()));
  ASSERT_TRUE(replay) << replay.error().message;
  EXPECT_EQ(live->orders, replay->orders);
  EXPECT_EQ(live->fills, replay->fills);
  EXPECT_GT(live->fills, 4);
  EXPECT_EQ(live->final_equity, replay->final_equity);
}

TEST_F(SessionTradierTest, AnswersThatAreLostMakeNoSecondOrder) {
  make_market(100);
  Running running;
  launch(running, tradier_document(), "live");
  while (moved_ < steps_.size() && !running.ended.is_set()) {
    {
      const std::scoped_lock lock(tradier_.mutex);
      tradier_.fail_after = static_cast<int>(moved_ % 2);
    }
    play_both(running, moved_ + 1);
  }
  const Result<SessionResult> live = join(running);
  ASSERT_TRUE(live) << live.error().message;
  EXPECT_GT(live->fills, 4);
  expect_orders_at_tradier(live->run_id);
}

// The order was filled on a day that Tradier no longer lists. Nobody has seen that: it is not said
// that it never came, nor is it forgotten.
TEST_F(SessionTradierTest, AnOrderOfAnEarlierDayStaysUnknown) {
  make_market(60);
  services_.resume_after_worker_stop = true;
  tradier_.late = true;
  Running first;
  launch(first, tradier_document(), "live");
  const auto sent = [this] {
    const std::scoped_lock lock(tradier_.mutex);
    return tradier_.posts > 0;
  };
  while (!sent() && moved_ < 40) {
    move_both();
    await_index(moved_, first);
  }
  first.stop.request_stop();
  ASSERT_FALSE(join(first));
  persistence::OrderRepository orders(*services_.database);
  const std::string run_id = row_of_task("live").id;
  persistence::OrderRow row = orders_of(run_id).at(0);
  EXPECT_EQ(row.status, "submitting");
  row.created_at = {row.created_at.value - 48LL * 3'600'000'000'000};
  ASSERT_TRUE(orders.upsert(row));
  Running second;
  launch(second, tradier_document(), "live");
  move_both();
  await_index(moved_, second);
  row = orders_of(run_id).at(0);
  EXPECT_EQ(row.status, "submitting");
  EXPECT_EQ(row.status_reason.find("unknown: "), 0U) << row.status_reason;
  // It is asked for again: once it shows, all is well.
  {
    const std::scoped_lock lock(tradier_.mutex);
    tradier_.late = false;
    tradier_.orders.merge(tradier_.on_their_way);
  }
  while (moved_ < steps_.size() && !second.ended.is_set()) {
    move_both();
    await_index(moved_, second);
  }
  const Result<SessionResult> result = join(second);
  ASSERT_TRUE(result) << result.error().message;
  expect_orders_at_tradier(run_id);
  EXPECT_EQ(count_events(spans(), "order.unknown"), 1);
}

}  // namespace
}  // namespace alphaswarm::trading::paper
