// What becomes of decisions that have not become orders when a session is stopped or left.

#include "alphaswarm/trading/paper/session_orders_fixture.hpp"

namespace alphaswarm::trading::paper {
namespace {

// Buys two symbols on the first bar: two decisions at once.
class SessionStopsTest : public SessionStaleTest {
 protected:
  SessionStopsTest() { make_market(20, {"SWING.US", "OTHER.US"}); }

  void expect_both_bought(Running& running) {
    play_on(running, steps_.size());
    const Result<SessionResult> result = join(running);
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_EQ(result->status, "completed");
    EXPECT_EQ(result->orders, 2);
    EXPECT_EQ(venue_orders().size(), 2U);
    expect_same_orders(result->run_id);
    for (const auto& order : orders_of(result->run_id)) EXPECT_EQ(order.status, "filled");
  }
};

// The kill switch cannot be read when the second order is due, and then the worker stops.
TEST_F(SessionStopsTest, ADecisionThatIsHeldBackIsTakenUpByTheNextWorker) {
  const auto bus = std::make_shared<DistantBus>(services_.bus);
  services_.bus = bus;
  services_.resume_after_worker_stop = true;
  between_.on_submit = [&](OrderRequest request) -> net::task<Result<Order>> {
    bus->set_away(true);
    co_return co_await broker_->submit_order(std::move(request));
  };
  Running first;
  launch(first, buy_and_hold(), "live");
  move_market();
  await([this] { return row_of_task("live").status == "halted"; });
  first.stop.request_stop();
  ASSERT_FALSE(join(first));
  EXPECT_EQ(venue_orders().size(), 1U);
  EXPECT_EQ(orders_of(row_of_task("live").id).size(), 1U);
  bus->set_away(false);
  between_.on_submit = nullptr;
  Running second;
  launch(second, buy_and_hold(), "live");
  await([this] { return venue_orders().size() == 2; });
  expect_both_bought(second);
}

// The same at the simulated exchange, where whoever resumes works on the whole bar once more.
TEST_F(SessionStopsTest, ABarThatIsHalfDoneAtTheSimulatedExchangeIsDoneOnceMore) {
  const auto bus = std::make_shared<DistantBus>(services_.bus);
  services_.bus = bus;
  services_.resume_after_worker_stop = true;
  json::object config = live_document("sim", "stream");
  config["strategy"] = json::object{{"name", "buy_and_hold"}};
  std::atomic<int> frames{0};
  services_.progress = std::make_shared<tasks::ProgressBus>(bus, services_.database);
  bus->on_publish([&](const std::string& payload) {
    if (payload.find("\"order\"") != std::string::npos && ++frames == 1) bus->set_away(true);
  });
  Running first;
  launch(first, config, "live");
  move_market();
  await([this] { return row_of_task("live").status == "halted"; });
  first.stop.request_stop();
  ASSERT_FALSE(join(first));
  bus->set_away(false);
  Running second;
  launch(second, config, "live");
  play("live", second, steps_.size(), [](std::size_t) {});
  const Result<SessionResult> result = join(second);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->orders, 2);
  EXPECT_EQ(result->fills, 2);
  EXPECT_EQ(persistence::SignalRepository(*services_.database).for_run(result->run_id, 9)->size(),
            2U);
  EXPECT_EQ(result->bars_seen, static_cast<std::int64_t>(steps_.size()));
  for (const auto& order : orders_of(result->run_id)) EXPECT_EQ(order.status, "filled");
}

TEST_F(SessionStopsTest, AfterAStopNothingNewGoesOut) {
  between_.on_submit = [&](OrderRequest request) -> net::task<Result<Order>> {
    ++submissions_;
    std::ignore = co_await send_stop(*services_.bus, "live", "enough");
    // The session hears of it within its grace.
    std::ignore = co_await net::sleep_for(std::chrono::milliseconds(100));
    co_return co_await broker_->submit_order(std::move(request));
  };
  Running running;
  launch(running, buy_and_hold(), "live");
  move_market();
  expect_cancelled(running, "enough");
  EXPECT_EQ(submissions_, 1);
  const auto orders = orders_of(row_of_task("live").id);
  ASSERT_EQ(orders.size(), 2U);
  EXPECT_EQ(orders[1].status, "rejected");
  EXPECT_EQ(orders[1].status_reason, "the session is stopping");
}

TEST_F(SessionStopsTest, SavedDecisionsGoOutWhenTheOpenOrdersWereAskedFor) {
  cut_off_after_one_order();
  between_.before_look = [this]() -> net::task<void> {
    ++looks_;
    co_return;
  };
  int looks_before = 0;
  between_.on_submit = [&](OrderRequest request) -> net::task<Result<Order>> {
    looks_before = looks_;
    co_return co_await broker_->submit_order(std::move(request));
  };
  Running second;
  launch(second, buy_and_hold(), "live");
  await([this] { return venue_orders().size() == 2; });
  EXPECT_EQ(looks_before, 1);
  expect_both_bought(second);
}

TEST_F(SessionStopsTest, SavedDecisionsDoNotGoOutIfTheSessionWasStoppedMeanwhile) {
  cut_off_after_one_order();
  ASSERT_TRUE(net::block_on(runtime_, send_stop(*services_.bus, "live", "enough")));
  Running second;
  launch(second, buy_and_hold(), "live");
  expect_cancelled(second, "enough");
}

TEST_F(SessionStaleTest, OpenOrdersAreAskedForBeforeOldBarsToo) {
  make_market(20);
  services_.resume_after_worker_stop = true;
  Running first;
  launch(first, buy_and_hold(), "live");
  move_market();
  await_bars("live", 1, first);
  first.stop.request_stop();
  ASSERT_FALSE(join(first));
  ASSERT_EQ(venue_orders().size(), 1U);
  between_.shows = false;
  for (int i = 0; i < 10; ++i) move_market();
  between_.looks = 0;
  Running second;
  launch(second, buy_and_hold(), "live");
  await_index(11, second);
  EXPECT_GE(between_.looks, 11);  // once when it begins, and before each of ten bars
  between_.shows = true;
  play_on(second, steps_.size());
  const Result<SessionResult> result = join(second);
  ASSERT_TRUE(result) << result.error().message;
  expect_same_orders(result->run_id);
}

}  // namespace
}  // namespace alphaswarm::trading::paper
