// Orders of a live session that the venue does not answer, that come late or are too old to send;
// and what becomes of those that are still open when it ends.

#include "alphaswarm/persistence/kill_switch_repository.hpp"
#include "alphaswarm/tasks/queue.hpp"
#include "alphaswarm/trading/paper/left_orders.hpp"
#include "alphaswarm/trading/paper/order_tracker.hpp"
#include "alphaswarm/trading/paper/paper_tasks.hpp"
#include "alphaswarm/trading/paper/session_orders_fixture.hpp"

namespace alphaswarm::trading::paper {
namespace {

TEST_F(SessionOrdersTest, AStopWaitsForAnOrderThatIsOnItsWay) {
  lose_first_order(4);
  Running running;
  play_until_a_submission(running);
  ASSERT_TRUE(net::block_on(runtime_, send_stop(*services_.bus, "live", "enough")));
  expect_cancelled(running, "enough");
}

TEST_F(SessionOrdersTest, AHaltWaitsForAnOrderThatIsOnItsWay) {
  lose_first_order(4);
  Running running;
  play_until_a_submission(running, false);
  KillSwitch kill_switch(services_.bus, services_.database);
  ASSERT_TRUE(net::block_on(runtime_, kill_switch.engage("lunch")));
  await([this] { return first_order().status == "cancelled"; });
  ASSERT_EQ(venue_orders().size(), 1U);
  EXPECT_EQ(venue_orders()[0].at("status").as_string(), "canceled");
  ASSERT_TRUE(net::block_on(runtime_, kill_switch.release()));
  play_on(running, steps_.size());
  const Result<SessionResult> result = join(running);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->status, "completed");
  expect_same_orders(result->run_id);
}

TEST_F(SessionOrdersTest, AnOrderThatNeverComesIsSaidSoAtTheEnd) {
  lose_first_order(0);
  Running running;
  play_until_a_submission(running);
  ASSERT_TRUE(net::block_on(runtime_, send_stop(*services_.bus, "live", "enough")));
  ASSERT_TRUE(join(running));
  EXPECT_EQ(first_order().status, "rejected");
  EXPECT_EQ(first_order().status_reason, "it never reached the venue");
  EXPECT_GE(looks_, 5);
  EXPECT_TRUE(venue_orders().empty());
}

TEST_F(SessionOrdersTest, AnOrderWithoutAnAnswerWaitsForNoBar) {
  lose_first_order(0);
  Running running;
  play_until_a_submission(running);
  await([this] { return first_order().status == "new"; });  // it was sent once more
  EXPECT_EQ(venue_orders().size(), 1U);
  EXPECT_EQ(submissions_, 2);
  play_on(running, steps_.size());
  const Result<SessionResult> result = join(running);
  ASSERT_TRUE(result) << result.error().message;
  expect_same_orders(result->run_id);
}

TEST_F(SessionOrdersTest, AKillSwitchThatNobodyToldOfIsSeen) {
  Running running;
  play_until_an_order(running);
  persistence::KillSwitchRepository row(*services_.database);
  ASSERT_TRUE(row.set(true, "by hand", now_unix()));
  expect_cancelled(running, "kill switch: by hand");
  // Looking every second is not worth a span.
  EXPECT_EQ(count_names(spans())["paper.session.poll"], 0);
}

// Two orders are decided on at once. The first reaches the venue, then the session is cut off.
TEST_F(SessionStaleTest, AnOrderThatWasDecidedOnLongAgoIsNotSent) {
  make_market(30, {"SWING.US", "OTHER.US"});
  cut_off_after_one_order();
  for (int i = 0; i < 4; ++i) move_market();
  Running second;
  launch(second, buy_and_hold(), "live");
  play_on(second, steps_.size());
  const Result<SessionResult> result = join(second);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->bars_seen, static_cast<std::int64_t>(steps_.size()));
  expect_same_orders(result->run_id);
  const auto orders = orders_of(result->run_id);
  ASSERT_EQ(orders.size(), 2U);
  EXPECT_EQ(orders[0].status, "filled");
  EXPECT_EQ(orders[1].status, "rejected");
  EXPECT_EQ(orders[1].status_reason,
            "decided on the bar of " + to_rfc3339(minute(0)) + ", too old to send");
  EXPECT_EQ(count_events(spans(), "order.too_old"), 1);
}

// What has been since `start` warms it up; only the newest bar is traded on.
TEST_F(SessionStaleTest, BarsOfThePastAreNotTradedOn) {
  make_market(40);
  for (int i = 0; i < 20; ++i) move_market();
  Running running;
  launch(running, buy_and_hold(), "live");
  await_index(20, running);
  const std::string run = row_of_task("live").id;
  play_on(running, steps_.size());
  const Result<SessionResult> result = join(running);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->bars_seen, 40);
  const auto signals = persistence::SignalRepository(*services_.database).for_run(run, 100);
  ASSERT_TRUE(signals && signals->size() == 1);
  EXPECT_EQ(signals->front().bar_time, minute(19));
  EXPECT_EQ(venue_orders().size(), 1U);
  int old = 0;
  for (const auto& span : spans()) {
    old += span.attributes.contains("paper.too_old_to_trade") ? 1 : 0;
  }
  EXPECT_EQ(old, 19);
}

// The venue never says that the order is cancelled; the session ends, and the order is still open.
class LeftOrdersTest : public SessionOrdersTest {
 protected:
  std::string leave_an_order() {
    Running running;
    play_until_an_order(running);
    between_.cancels = false;
    EXPECT_TRUE(net::block_on(runtime_, send_stop(*services_.bus, "live", "enough")));
    EXPECT_TRUE(join(running));
    EXPECT_EQ(first_order().status, "new");
    between_.cancels = true;
    return first_order().run_id;
  }
};

TEST_F(LeftOrdersTest, TheyAreCancelledWhenAWorkerStarts) {
  const std::string run = leave_an_order();
  net::block_on(runtime_, follow_left_orders(services_));
  EXPECT_EQ(first_order().status, "cancelled");
  expect_same_orders(run);
  EXPECT_EQ(count_names(spans())["paper.order.follow_up"], 1);
  EXPECT_EQ(paper_->stats().open, 0U);
}

TEST_F(LeftOrdersTest, TheyAreCancelledWhenASessionsTaskHasEnded) {
  leave_an_order();
  store_bars(5);
  const auto broker = tasks::make_memory_broker();
  tasks::Worker worker(runtime_, broker, services_.bus, services_.database, services_.progress, {});
  register_paper_tasks(worker, services_);
  worker.start();
  tasks::TaskQueue queue(broker, services_.bus, services_.database);
  tasks::ApplyOptions options;
  options.queue = "paper";
  // Any session's end will do.
  ASSERT_TRUE(net::block_on(runtime_, queue.apply_async(std::string(kRunPaperTask), {document()},
                                                        json::object(), std::move(options))));
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (first_order().status != "cancelled" && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_EQ(first_order().status, "cancelled");
  EXPECT_TRUE(worker.stop(std::chrono::seconds(5)));
}

TEST_F(LeftOrdersTest, OneThatTheVenueDeniesIsAskedForOnceAndStaysOpen) {
  const std::string run = leave_an_order();
  between_.denies = true;
  between_.looks = 0;
  net::block_on(runtime_, follow_left_orders(services_));
  EXPECT_EQ(between_.looks, 1);
  EXPECT_EQ(first_order().status, "new");
  EXPECT_EQ(first_order().status_reason, kDenied);
  // The credentials were of another account.
  between_.denies = false;
  net::block_on(runtime_, follow_left_orders(services_));
  EXPECT_EQ(first_order().status, "cancelled");
  EXPECT_NE(first_order().status_reason, kDenied);
  expect_same_orders(run);
}

TEST_F(LeftOrdersTest, FillsOfTheMeantimeAreWrittenDown) {
  const std::string run = leave_an_order();
  move_market();
  net::block_on(runtime_, follow_left_orders(services_));
  EXPECT_EQ(first_order().status, "filled");
  ASSERT_EQ(fills_of(run).size(), 1U);
  expect_same_orders(run);
  net::block_on(runtime_, follow_left_orders(services_));  // nothing is left
  EXPECT_EQ(fills_of(run).size(), 1U);
}

}  // namespace
}  // namespace alphaswarm::trading::paper
