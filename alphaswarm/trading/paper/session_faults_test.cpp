// What a session does when the world around it fails, or asks it to stop.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <set>

#include "alphaswarm/tasks/queue.hpp"
#include "alphaswarm/tasks/worker.hpp"
#include "alphaswarm/trading/paper/session_faults_fixture.hpp"

namespace alphaswarm::trading::paper {
namespace {

TEST_F(SessionFaultsTest, AStopSignalEndsItInOrder) {
  store_bars(1000);
  auto frames = watch("stop-me");
  Running running;
  launch(running, slow_document(200), "stop-me");
  await_frame(frames, stage_is("order"));
  ASSERT_TRUE(net::block_on(runtime_, send_stop(*services_.bus, "stop-me", "enough")));
  const Result<SessionResult> result = join(running);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->status, "cancelled");
  EXPECT_EQ(result->reason, "enough");
  EXPECT_LT(result->bars_seen, 1000);
  EXPECT_GT(result->orders, 0);
  expect_books_closed(result->run_id);
}

TEST_F(SessionFaultsTest, ASignalSentBeforeItStartsIsSeen) {
  store_bars(50);
  ASSERT_TRUE(net::block_on(runtime_, send_stop(*services_.bus, "early", "never mind")));
  const Result<SessionResult> result = run(slow_document(20), "early");
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->status, "cancelled");
  EXPECT_EQ(result->reason, "never mind");
}

TEST_F(SessionFaultsTest, AStoppingProcessEndsItInOrder) {
  store_bars(1000);
  auto frames = watch("shutdown");
  Running running;
  launch(running, slow_document(200), "shutdown");
  await_frame(frames, stage_is("order"));
  const auto asked = std::chrono::steady_clock::now();
  running.stop.request_stop();
  const Result<SessionResult> result = join(running);
  EXPECT_LT(std::chrono::steady_clock::now() - asked, std::chrono::seconds(2));
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->status, "cancelled");
  expect_books_closed(result->run_id);
  for (const auto& order : orders_of(result->run_id)) EXPECT_NE(order.status, "submitting");
}

TEST_F(SessionFaultsTest, TheKillSwitchStopsTheSession) {
  store_bars(1000);
  auto frames = watch("kill");
  Running running;
  launch(running, slow_document(100), "kill");
  await_frame(frames, stage_is("order"));
  KillSwitch kill_switch(services_.bus, services_.database);
  ASSERT_TRUE(net::block_on(runtime_, kill_switch.engage("fire drill")));
  const Result<SessionResult> result = join(running);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->status, "cancelled");
  EXPECT_EQ(result->reason, "kill switch: fire drill");
  expect_books_closed(result->run_id);
  // Either place alone keeps it engaged.
  ASSERT_TRUE(net::block_on(runtime_, services_.bus->del(std::string(kKillSwitchKey))));
  const auto state = net::block_on(runtime_, kill_switch.state());
  ASSERT_TRUE(state);
  EXPECT_TRUE(state->engaged);
  EXPECT_EQ(state->reason, "fire drill");
  ASSERT_TRUE(net::block_on(runtime_, kill_switch.release("drill over")));
  EXPECT_FALSE(net::block_on(runtime_, kill_switch.state())->engaged);
}

TEST_F(SessionFaultsTest, ASessionMayWaitForTheRelease) {
  store_bars(120);
  auto frames = watch("patient");
  Running running;
  launch(running, slow_document(400, R"({"stop_on_kill_switch": false})"), "patient");
  await_frame(frames, stage_is("order"));
  KillSwitch kill_switch(services_.bus, services_.database);
  ASSERT_TRUE(net::block_on(runtime_, kill_switch.engage("pause")));
  await_frame(frames, status_is("halted"));
  ASSERT_TRUE(net::block_on(runtime_, kill_switch.release()));
  await_frame(frames, status_is("running"));
  const Result<SessionResult> result = join(running);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->status, "completed");
  EXPECT_EQ(result->bars_seen, 120);
  expect_books_closed(result->run_id);
}

TEST_F(SessionFaultsTest, AnEngagedSwitchLetsNoOrderOut) {
  store_bars(50);
  KillSwitch kill_switch(services_.bus, services_.database);
  ASSERT_TRUE(net::block_on(runtime_, kill_switch.engage("closed today")));
  const Result<SessionResult> result = run(document());
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->status, "cancelled");
  EXPECT_EQ(result->bars_seen, 1);
  EXPECT_EQ(result->orders, 0);
}

TEST_F(SessionFaultsTest, WithoutTheBusNobodyTrades) {
  store_bars(120);
  auto frames = watch("lonely");
  const auto distant = std::make_shared<DistantBus>(services_.bus);
  services_.bus = distant;  // frames still go over the other one, so that this test can see them
  Running running;
  launch(running, slow_document(400), "lonely");
  await_frame(frames, stage_is("order"));
  distant->set_away(true);
  await_frame(frames, status_is("halted"));
  const auto row = persistence::RunRepository(*services_.database).find_by_task("lonely");
  EXPECT_NE((*row)->status_reason.find("the bus is away"), std::string::npos);
  distant->set_away(false);
  await_frame(frames, status_is("running"));
  const Result<SessionResult> result = join(running);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->status, "completed");
  EXPECT_EQ(result->bars_seen, 120);
  expect_books_closed(result->run_id);
  KillSwitch kill_switch(distant, services_.database);
  distant->set_away(true);
  ASSERT_TRUE(net::block_on(runtime_, kill_switch.engage("the row is enough")));
  EXPECT_FALSE(net::block_on(runtime_, kill_switch.release()));  // still unknown to the bus
  EXPECT_TRUE(net::block_on(runtime_, kill_switch.state())->engaged);
}

// Two symbols with the same bars, so that both are bought at the same bar; the bus goes away when
// the first order is told of.
TEST_F(SessionFaultsTest, ABusThatGoesBetweenTwoOrdersHoldsTheSecond) {
  store_bars(120, "ONE.TEST");
  store_bars(120, "TWO.TEST");
  json::object config = document();
  config["session"].as_object()["universe"] = json::array{"ONE.TEST", "TWO.TEST"};
  const Result<SessionResult> calm = run(config);
  ASSERT_TRUE(calm) << calm.error().message;
  const auto distant = std::make_shared<DistantBus>(services_.bus);
  const auto telling = std::make_shared<DistantBus>(services_.bus);
  std::atomic<bool> told{false};
  telling->on_publish([&](const std::string& payload) {
    if (payload.find(R"("stage":"order")") != std::string::npos && !told.exchange(true)) {
      distant->set_away(true);
    }
  });
  services_.bus = distant;
  services_.progress = std::make_shared<tasks::ProgressBus>(telling, services_.database);
  auto frames = watch("between");
  Running running;
  launch(running, config, "between");
  await_frame(frames, status_is("halted"));
  const auto row = persistence::RunRepository(*services_.database).find_by_task("between");
  const auto at_venue = [&] {
    exchange::OrderFilter all;
    all.state = exchange::OrderFilter::State::all;
    return (*exchange_->accounts().get((*row)->id))->orders(all).size();
  };
  EXPECT_EQ(at_venue(), 1U);
  distant->set_away(false);
  await_frame(frames, status_is("running"));
  const Result<SessionResult> result = join(running);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->status, "completed");
  EXPECT_EQ(result->orders, calm->orders);
  EXPECT_EQ(result->fills, calm->fills);
  EXPECT_EQ(result->final_equity, calm->final_equity);
  services_.progress.reset();
  EXPECT_EQ(paper_->stats().open, 0U);
}

TEST_F(SessionFaultsTest, ADatabaseThatTakesNothingIsAnError) {
  store_bars(1000);
  const std::string file = (folder_ / "test.db").string();
  persistence::DatabaseOptions impatient;
  impatient.busy_timeout = std::chrono::milliseconds(50);
  services_.database = *persistence::Database::open(file, impatient);
  auto other = *persistence::Database::open(file);
  auto frames = watch("locked");
  Running running;
  launch(running, slow_document(200), "locked");
  await_frame(frames, stage_is("order"));
  auto lock = other->begin();
  ASSERT_TRUE(lock) << lock.error().message;
  const Result<SessionResult> result = join(running);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::unavailable) << result.error().message;
  EXPECT_EQ(paper_->stats().open, 0U);
  lock->rollback();
  // Its last row could not be written; whoever looks sees that it has gone silent.
  const auto row = persistence::RunRepository(*other).find_by_task("locked");
  ASSERT_TRUE(row && *row);
  EXPECT_EQ(shown_status(**row, {now_unix().value + 3'600'000'000'000}).status, "stale");
  EXPECT_EQ(*mark_stale_runs(*other, {now_unix().value + 3'600'000'000'000}), 1);
  EXPECT_EQ((*persistence::RunRepository(*other).find_by_task("locked"))->status, "stale");
}

TEST_F(SessionFaultsTest, ABreachedLimitShowsAsHalted) {
  store_bars(300);
  auto frames = watch("risky");
  Running running;
  json::object config = slow_document(0);
  config["risk"] = json::object{{"max_drawdown_pct", 0.001}};
  launch(running, std::move(config), "risky");
  await_frame(frames, status_is("halted"));
  const Result<SessionResult> result = join(running);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->status, "completed");
  expect_books_closed(result->run_id);
}

TEST_F(SessionFaultsTest, AsATaskOfAWorker) {
  store_bars(60);
  const auto broker = tasks::make_memory_broker();
  tasks::Worker worker(runtime_, broker, services_.bus, services_.database, services_.progress, {});
  register_paper_tasks(worker, services_);
  worker.start();
  tasks::TaskQueue queue(broker, services_.bus, services_.database);
  const auto send = [&](json::value cfg) -> net::task<Result<tasks::TaskResult>> {
    tasks::ApplyOptions options;
    options.queue = "paper";
    json::array args{std::move(cfg), "from-a-test"};
    const Result<std::string> id = co_await queue.apply_async(
        std::string(kRunPaperTask), std::move(args), json::object(), std::move(options));
    if (!id) co_return std::unexpected(id.error());
    co_return co_await queue.wait(*id, std::chrono::seconds(30));
  };
  const Result<tasks::TaskResult> good = net::block_on(runtime_, send(document()));
  ASSERT_TRUE(good) << good.error().message;
  EXPECT_EQ(good->status, tasks::kSuccess) << good->error;
  EXPECT_EQ(good->result.at("bars_seen").as_int64(), 60);
  const std::string run_id(good->result.at("run_id").as_string());
  EXPECT_EQ(row_of(run_id).run_name, "from-a-test");
  EXPECT_EQ(row_of(run_id).task_id, good->task_id);
  const Result<tasks::TaskResult> bad =
      net::block_on(runtime_, send(json::parse(R"({"strategy": {"name": "magic"}})")));
  ASSERT_TRUE(bad);
  EXPECT_EQ(bad->status, tasks::kFailure);
  EXPECT_NE(bad->error.find("magic"), std::string::npos);
  EXPECT_EQ(net::block_on(runtime_, send("text"))->status, tasks::kFailure);
  EXPECT_TRUE(worker.stop(std::chrono::seconds(5)));
}

TEST(ShownStatus, AMissedHeartbeatIsStale) {
  persistence::RunRow row;
  row.status = "running";
  row.config_json = R"({"session": {"heartbeat_seconds": 10}})";
  row.started_at = {1'000'000'000'000};
  row.last_heartbeat_at = UnixNanos{1'000'000'000'000};
  const auto after = [&](int seconds) {
    return shown_status(row, {1'000'000'000'000 + seconds * 1'000'000'000LL}).status;
  };
  EXPECT_EQ(after(20), "running");
  EXPECT_EQ(after(60), "stale");
  row.status = "completed";
  EXPECT_EQ(after(60), "completed");
}

}  // namespace
}  // namespace alphaswarm::trading::paper
