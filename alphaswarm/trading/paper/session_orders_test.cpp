// Orders of a live session that the venue does not answer, that come late or are too old to send;
// and what becomes of those that are still open when it ends.

#include "alphaswarm/persistence/kill_switch_repository.hpp"
#include "alphaswarm/trading/paper/left_orders.hpp"
#include "alphaswarm/trading/paper/session_live_fixture.hpp"

namespace alphaswarm::trading::paper {
namespace {

// What lies between a session and its venue: what a test says of each call, else nothing.
class MeddlingBroker final : public Broker {
 public:
  explicit MeddlingBroker(Broker& venue) : venue_(venue) {}

  // Set before the session runs.
  std::function<net::task<Result<Order>>(OrderRequest)> on_submit;
  std::function<net::task<void>()> before_look;  // by client id
  std::atomic<bool> cancels{true};               // false: it does not answer to that

  [[nodiscard]] std::string_view venue() const noexcept override { return venue_.venue(); }
  [[nodiscard]] bool knows_client_ids() const noexcept override {
    return venue_.knows_client_ids();
  }
  net::task<Result<void>> connect() override { return venue_.connect(); }
  net::task<Result<void>> disconnect() override { return venue_.disconnect(); }
  net::task<Result<Order>> submit_order(OrderRequest request) override {
    return on_submit ? on_submit(std::move(request)) : venue_.submit_order(std::move(request));
  }
  net::task<Result<void>> cancel_order(OrderId id) override {
    if (!cancels) co_return fail(ErrorCode::unavailable, "it does not answer");
    co_return co_await venue_.cancel_order(std::move(id));
  }
  net::task<Result<Order>> query_order(OrderId id) override {
    return venue_.query_order(std::move(id));
  }
  net::task<Result<Order>> query_order(ClientOrderId id) override {
    if (before_look) co_await before_look();
    co_return co_await venue_.query_order(std::move(id));
  }
  net::task<Result<std::vector<Order>>> query_open_orders() override {
    return venue_.query_open_orders();
  }
  net::task<Result<std::vector<BrokerPosition>>> query_positions() override {
    return venue_.query_positions();
  }
  net::task<Result<BrokerAccount>> query_account() override { return venue_.query_account(); }
  net::task<Result<std::unique_ptr<OrderUpdateStream>>> stream_order_updates() override {
    return venue_.stream_order_updates();
  }

 private:
  Broker& venue_;
};

class SessionOrdersTest : public SessionLiveTest {
 protected:
  SessionOrdersTest() { services_.live.alpaca = &between_; }

  // The first order is on its way: nobody answers, and the venue does not know it until it has been
  // asked for `looks` times.
  void lose_first_order(int looks) {
    between_.on_submit = [this](OrderRequest request) -> net::task<Result<Order>> {
      if (submissions_++ == 0) {
        on_its_way_ = std::move(request);
        co_return fail(ErrorCode::unavailable, "no answer");
      }
      co_return co_await broker_->submit_order(std::move(request));
    };
    between_.before_look = [this, looks]() -> net::task<void> {
      if (++looks_ != looks || !on_its_way_) co_return;
      OrderRequest arrives = std::move(*on_its_way_);
      on_its_way_.reset();
      std::ignore = co_await broker_->submit_order(std::move(arrives));
    };
  }
  // A session over the streams, played until its first order was decided on.
  void play_until_a_submission(Running& running, bool stop_on_kill_switch = true) {
    make_market(120);
    json::object config = live_document("alpaca", "stream");
    config["session"].as_object()["stop_on_kill_switch"] = stop_on_kill_switch;
    launch(running, std::move(config), "live");
    std::size_t bars = 0;
    while (submissions_ == 0 && bars < steps_.size()) play_on(running, ++bars);
  }
  // As the fixture's, but an order that has no answer is all right.
  void play_on(const Running& running, std::size_t bars) {
    while (moved_ < bars && !running.ended.is_set()) {
      move_market();
      await_index(moved_, running);
    }
  }
  persistence::OrderRow first_order() {
    const auto orders = orders_of(row_of_task("live").id);
    EXPECT_FALSE(orders.empty());
    return orders.empty() ? persistence::OrderRow() : orders.front();
  }

  MeddlingBroker between_{*broker_};
  std::atomic<int> submissions_{0}, looks_{0};
  std::optional<OrderRequest> on_its_way_;
};

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

class SessionStaleTest : public SessionOrdersTest {
 protected:
  json::object buy_and_hold() {
    json::object config = live_document("alpaca", "stream");
    config["strategy"] = json::object{{"name", "buy_and_hold"}};
    return config;
  }
};

// Two orders are decided on at once. The first reaches the venue, then the session is cut off.
TEST_F(SessionStaleTest, AnOrderThatWasDecidedOnLongAgoIsNotSent) {
  make_market(30, {"SWING.US", "OTHER.US"});
  services_.resume_after_worker_stop = true;
  Running first;
  between_.on_submit = [&](OrderRequest request) -> net::task<Result<Order>> {
    std::ignore = co_await broker_->submit_order(std::move(request));
    first.stop.request_stop();
    co_return fail(ErrorCode::cancelled, "cut off");
  };
  launch(first, buy_and_hold(), "live");
  move_market();
  ASSERT_FALSE(join(first));
  ASSERT_EQ(venue_orders().size(), 1U);
  between_.on_submit = nullptr;
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
