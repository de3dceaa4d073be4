// Sessions whose bus is a real Redis that is killed, comes back empty, freezes or is full.

#include <atomic>

#include "alphaswarm/tasks/redis_bus.hpp"
#include "alphaswarm/trading/paper/session_faults_fixture.hpp"
#include "tests/support/redis.hpp"

namespace alphaswarm::trading::paper {
namespace {

class SessionRedisTest : public SessionFaultsTest {
 protected:
  SessionRedisTest() {
    // Frames go over a bus within the process, so that the test sees them whatever happens.
    services_.bus = make_bus();
  }
  std::shared_ptr<tasks::Bus> make_bus() {
    auto config = *net::parse_redis_url(redis_.url());
    config.command_timeout = std::chrono::milliseconds(200);
    config.connect_timeout = std::chrono::milliseconds(200);
    config.ping_interval = std::chrono::milliseconds(200);
    config.backoff_max = std::chrono::milliseconds(100);
    auto client = std::make_shared<net::RedisClient>(runtime_, config);
    return tasks::make_redis_bus(client, client);
  }
  // Until the session runs again; no order may have left before.
  void await_running_without_orders(tasks::ProgressStream& frames) {
    int orders = 0;
    const auto running = status_is("running");
    const auto order = stage_is("order");
    await_frame(frames, [&](const json::object& frame) {
      if (order(frame) && frame.at("status").as_string() != "cancelled") ++orders;
      return running(frame);
    });
    EXPECT_EQ(orders, 0);
  }
  void expect_completed(Running& running, std::int64_t bars) {
    const Result<SessionResult> result = join(running);
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_EQ(result->status, "completed");
    EXPECT_EQ(result->bars_seen, bars);
    expect_books_closed(result->run_id);
    bool said = false;
    for (const auto& line : ledger_of(result->run_id)) {
      said = said || line.message.starts_with("the message bus was away");
    }
    EXPECT_TRUE(said);
  }
  std::string halted_because(const std::string& task_id) {
    const auto row = persistence::RunRepository(*services_.database).find_by_task(task_id);
    return row && *row ? (*row)->status_reason : "no such run";
  }

  testing::RedisServer redis_;
};

TEST_F(SessionRedisTest, KilledAndBackEmpty) {
  store_bars(300);
  auto frames = watch("killed");
  Running running;
  launch(running, slow_document(100), "killed");
  await_frame(frames, stage_is("order"));
  redis_.kill();
  await_frame(frames, status_is("halted"));
  EXPECT_NE(halted_because("killed").find("cannot be read from the bus"), std::string::npos);
  redis_.start();
  await_running_without_orders(frames);
  expect_completed(running, 300);
}

TEST_F(SessionRedisTest, FrozenForAWhile) {
  store_bars(300);
  auto frames = watch("frozen");
  Running running;
  launch(running, slow_document(100), "frozen");
  await_frame(frames, stage_is("order"));
  redis_.freeze();
  await_frame(frames, status_is("halted"));
  EXPECT_NE(halted_because("frozen").find("took too long"), std::string::npos);
  redis_.thaw();
  await_running_without_orders(frames);
  const Result<SessionResult> result = join(running);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->status, "completed");
  expect_books_closed(result->run_id);
}

TEST_F(SessionRedisTest, FullItTakesNoKeyAndTheRowIsEnough) {
  store_bars(1000);
  auto frames = watch("full");
  Running running;
  launch(running, slow_document(100), "full");
  await_frame(frames, stage_is("order"));
  redis_.cli({"CONFIG", "SET", "maxmemory", "1"});
  KillSwitch kill_switch(make_bus(), services_.database);
  ASSERT_TRUE(net::block_on(runtime_, kill_switch.engage("full")));
  EXPECT_EQ(redis_.cli({"EXISTS", "alphaswarm:kill_switch"}), "0\n");
  const Result<SessionResult> result = join(running);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->status, "cancelled");
  EXPECT_EQ(result->reason, "kill switch: full");
  EXPECT_FALSE(net::block_on(runtime_, send_stop(*services_.bus, "full", "x")));
}

TEST_F(SessionRedisTest, AStopSignalInTheGapIsFound) {
  store_bars(1000);
  auto frames = watch("gap");
  Running running;
  launch(running, slow_document(100), "gap");
  await_frame(frames, stage_is("order"));
  redis_.cli({"CLIENT", "KILL", "TYPE", "pubsub"});
  ASSERT_TRUE(net::block_on(runtime_, send_stop(*make_bus(), "gap", "enough")));
  const Result<SessionResult> result = join(running);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->status, "cancelled");
  EXPECT_EQ(result->reason, "enough");
  const int left = std::stoi(redis_.cli({"TTL", "alphaswarm:paper:gap:stop"}));
  EXPECT_GT(left, 0);
  EXPECT_LE(left, 60);
}

TEST_F(SessionRedisTest, TheKillSwitchOnBothSides) {
  KillSwitch kill_switch(services_.bus, services_.database);
  auto engaged =
      net::block_on(runtime_, services_.bus->subscribe("alphaswarm:kill_switch:engaged"));
  auto released =
      net::block_on(runtime_, services_.bus->subscribe("alphaswarm:kill_switch:released"));
  ASSERT_TRUE(engaged && released);
  ASSERT_TRUE(net::block_on(runtime_, kill_switch.engage("drill")));
  EXPECT_EQ(redis_.cli({"GET", "alphaswarm:kill_switch"}), "drill\n");
  EXPECT_EQ(redis_.cli({"TTL", "alphaswarm:kill_switch"}), "-1\n");
  EXPECT_EQ(net::block_on(runtime_, engaged->next()), "drill");
  redis_.restart();  // empty: nothing is released by that
  const auto state = net::block_on(runtime_, kill_switch.state());
  ASSERT_TRUE(state) << state.error().message;
  EXPECT_TRUE(state->engaged);
  EXPECT_EQ(state->reason, "drill");
  while (released->gaps() == 0) {
    std::ignore = net::block_on(runtime_, released->next_for(std::chrono::milliseconds(20)));
  }
  ASSERT_TRUE(net::block_on(runtime_, kill_switch.release("over")));
  EXPECT_EQ(net::block_on(runtime_, released->next()), "over");
  EXPECT_FALSE(net::block_on(runtime_, kill_switch.state())->engaged);
  // Somebody else's SET engages it too.
  redis_.cli({"SET", "alphaswarm:kill_switch", "by hand"});
  EXPECT_EQ(net::block_on(runtime_, kill_switch.state())->reason, "by hand");
  redis_.kill();
  EXPECT_FALSE(net::block_on(runtime_, kill_switch.state()));
}

}  // namespace
}  // namespace alphaswarm::trading::paper
