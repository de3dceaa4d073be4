// Redis killed, back empty, slow, full, or cut off between a command and its reply: no task is
// lost, none is run twice, and nobody who waits for a result waits for ever.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <boost/json/parse.hpp>

#include "alphaswarm/base/thread.hpp"
#include "alphaswarm/persistence/task_repository.hpp"
#include "alphaswarm/tasks/loss_test_support.hpp"
#include "alphaswarm/tasks/redis_broker.hpp"
#include "tests/support/cutting_proxy.hpp"
#include "tests/support/redis.hpp"

namespace alphaswarm::tasks {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using alphaswarm::testing::CuttingProxy;
using alphaswarm::testing::RedisServer;

std::string envelope(const std::string& id) {
  TaskMessage message;
  message.id = id;
  message.task = "t";
  message.queue = "q";
  return encode_message(message);
}

// ---- a claim whose reply is lost

class LostClaim : public ::testing::Test {
 protected:
  template <class T>
  T run(net::task<T> work) {
    return net::block_on(runtime_, std::move(work));
  }
  std::shared_ptr<Broker> make(int port) {
    auto config = *net::parse_redis_url("redis://127.0.0.1:" + std::to_string(port) + "/0");
    return make_redis_broker(runtime_, std::make_shared<net::RedisClient>(runtime_, config));
  }
  void SetUp() override {
    // Both scripts are known to the server: the next EVALSHA is the claim.
    EXPECT_TRUE(run(broker_->take({"q"}, 1, 0ms))->empty());
  }
  std::vector<std::string> take(std::size_t most) {
    const auto taken = run(broker_->take({"q"}, most, 0ms));
    EXPECT_TRUE(taken) << taken.error().message;
    std::vector<std::string> ids;
    if (!taken) return ids;
    for (const Delivery& each : *taken) {
      ids.push_back(decode_message(each.message)->id);
      last_ = each;
    }
    return ids;
  }

  RedisServer server_;
  CuttingProxy proxy_{server_.port()};
  net::Runtime runtime_{"lost-claim", 2};
  std::shared_ptr<Broker> broker_ = make(proxy_.port());
  std::shared_ptr<Broker> beside_ = make(server_.port());
  Delivery last_;
};

TEST_F(LostClaim, IsAskedForAgainAtOnce) {
  for (const char* id : {"a", "b", "c"}) EXPECT_TRUE(run(beside_->push("q", 0, envelope(id))));
  proxy_.lose_reply_to("EVALSHA");
  EXPECT_EQ(take(2), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(proxy_.cuts(), 1);
  EXPECT_EQ(run(beside_->unacknowledged()).value_or(0), 2U);
  EXPECT_TRUE(*run(broker_->finish(last_, {"celery-task-meta-b", "x", 60s})));
  EXPECT_EQ(take(5), std::vector<std::string>{"c"});
  EXPECT_EQ(run(beside_->waiting("q")).value_or(9), 0U);
}

TEST_F(LostClaim, ThatRunsOnlyLaterTakesNothing) {
  EXPECT_TRUE(run(beside_->push("q", 0, envelope("a"))));
  proxy_.hold("EVALSHA");
  const auto cut = run(broker_->take({"q"}, 1, 0ms));
  EXPECT_FALSE(cut && !cut->empty()) << "the claim has not reached Redis";
  EXPECT_EQ(proxy_.cuts(), 1);
  proxy_.deliver_held();
  EXPECT_EQ(run(beside_->waiting("q")).value_or(9), 1U) << "a void claim took a message";
  EXPECT_EQ(run(beside_->unacknowledged()).value_or(9), 0U);
  EXPECT_EQ(take(1), std::vector<std::string>{"a"});
}

// ---- the whole way of a task

using test::LossTest;

TEST_F(LossTest, TasksThatWaitedAreSentAgainWhenRedisComesBackEmpty) {
  watch(100ms);
  std::vector<std::string> ids;
  for (int i = 0; i < 250; ++i) ids.push_back(system_.apply("t"));
  // Somebody waits for the last of them all the while.
  std::atomic<bool> answered{false};
  const std::jthread waiting = start_thread("waiting", [&](const std::stop_token&) {
    answered = net::block_on(system_.runtime, system_.queue->wait(ids.back(), 20s)).has_value();
  });
  wait_until([&] { return is_awaited(ids.back()); });
  server_.restart();
  EXPECT_EQ(system_.waiting("default"), 0U) << "Redis came back with what it held";
  const auto worker = start_worker("one@here");
  for (const std::string& id : ids) EXPECT_EQ(system_.wait(id).status, kSuccess);
  wait_until([&] { return answered.load(); });
  for (const std::string& id : ids) EXPECT_EQ(runs(id), 1) << id;
  wait_until([&] { return system_.unacknowledged() == 0; });
  EXPECT_TRUE(worker->stop(test::kLimit));
}

TEST_F(LossTest, WhatRedisHasLostSinceItLastSavedIsSentAgainAndNothingElse) {
  watch(100ms);
  // Another process watches as well; one of them sees to it.
  auto beside = make_redis_broker(system_.runtime, client_);
  net::spawn(system_.runtime, watch_stop_,
             watch_for_loss(beside, system_.database,
                            {.look_every = 50ms, .grace = 100ms, .settled = 300ms}));
  const auto holder = start_worker("holder@here", 1);
  const std::string running = system_.apply("held");
  wait_until([&] { return runs(running) == 1; });
  std::vector<std::string> ids;
  for (int i = 0; i < 50; ++i) ids.push_back(system_.apply("t"));  // wait behind it
  server_.cli({"SAVE"});
  for (int i = 0; i < 50; ++i) ids.push_back(system_.apply("t"));
  const auto queued = system_.waiting("default");
  server_.restart();  // with the snapshot
  EXPECT_EQ(queued, 100U);
  EXPECT_EQ(server_.cli({"GET", "alphaswarm:broker:whole"}), "yes\n");
  EXPECT_EQ(server_.cli({"LLEN", "default"}), "50\n");
  // Sent after it: nobody may think it lost.
  ids.push_back(system_.apply("t"));
  wait_until([&] { return system_.waiting("default") == 101; });
  EXPECT_EQ(system_.unacknowledged(), 1U);
  EXPECT_EQ(runs(running), 1);
  const auto other = start_worker("other@here");
  for (const std::string& id : ids) EXPECT_EQ(system_.wait(id).status, kSuccess);
  for (const std::string& id : ids) EXPECT_EQ(runs(id), 1) << id;
  release_.set();
  EXPECT_EQ(system_.wait(running).status, kSuccess);
  wait_until([&] { return system_.unacknowledged() == 0; });
  EXPECT_EQ(runs(running), 1);
  // Once: what is open now is not noted because of a restart that was seen to.
  EXPECT_EQ(server_.cli({"HGET", "alphaswarm:broker:run", "run"}),
            server_.cli({"HGET", "alphaswarm:broker:run", "next"}));
  EXPECT_TRUE(holder->stop(test::kLimit));
  EXPECT_TRUE(other->stop(test::kLimit));
}

TEST_F(LossTest, WhatIsToFollowATaskOfAnotherClientIsNotLost) {
  watch(100ms);
  TaskMessage foreign;
  foreign.id = "foreign";
  foreign.task = "flaky";
  foreign.embed =
      json::parse(R"({"chain":[{"task":"t","options":{"task_id":"next"}}]})").as_object();
  const auto start = [&](const std::string& name) {
    auto worker = system_.make_worker({.hostname = name});
    worker->register_task("flaky", [this](TaskContext& context) -> net::task<Result<json::value>> {
      note_run(context.id);
      if (runs(context.id) == 1) {
        // Redis is lost while it runs, and then its worker.
        (void)co_await release_.wait_for(test::kLimit);
        co_return fail(ErrorCode::cancelled, "stopped");
      }
      co_return json::value(7);
    });
    worker->register_task("t", [](TaskContext& context) -> net::task<Result<json::value>> {
      co_return context.args.front();
    });
    worker->start();
    return worker;
  };
  auto worker = start("one@here");
  EXPECT_TRUE(
      net::block_on(system_.runtime, system_.broker->push("default", 0, encode_message(foreign))));
  wait_until([&] { return runs("foreign") == 1; });
  server_.kill();
  EXPECT_TRUE(worker->stop(test::kLimit));
  server_.start();
  const auto other = start("two@here");
  EXPECT_EQ(system_.wait("next").result, 7);
  EXPECT_EQ(runs("foreign"), 2);
}

TEST_F(LossTest, ATaskThatRunsMeanwhileIsNotStartedTwiceAndItsResultIsStored) {
  watch(6s);  // beyond what a worker takes to say that it has a task
  const auto worker = start_worker("one@here", 1);
  const std::string running = system_.apply("held");
  wait_until([&] { return runs(running) == 1; });
  const std::string waiting = system_.apply("t");
  server_.restart();
  const auto other = start_worker("two@here", 1);
  // The grace has passed for both when the one that nobody had is done.
  EXPECT_EQ(system_.wait(waiting).status, kSuccess);
  EXPECT_EQ(runs(running), 1);
  EXPECT_EQ(server_.cli({"HKEYS", "unacked"}), "lost:" + running + "\n");
  release_.set();
  EXPECT_EQ(system_.wait(running).result, "released");
  wait_until([&] { return stored(running).find("released") != std::string::npos; });
  EXPECT_EQ(runs(running), 1);
  wait_until([&] { return system_.unacknowledged() == 0; });
  EXPECT_TRUE(worker->stop(test::kLimit));
  EXPECT_TRUE(other->stop(test::kLimit));
}

TEST_F(LossTest, AMessageOfATaskThatHasEndedOrRunsElsewhereIsNotRun) {
  const auto worker = start_worker("one@here");
  const std::string ended = system_.apply("t");
  EXPECT_EQ(system_.wait(ended).status, kSuccess);
  const std::string running = system_.apply("held");
  wait_until([&] { return runs(running) == 1; });
  const auto other = start_worker("two@here");
  EXPECT_TRUE(worker->running() == 1);
  for (const auto& [id, task] : {std::pair{ended, "t"}, std::pair{running, "held"}}) {
    TaskMessage again;
    again.id = id;
    again.task = task;
    // As often as there are workers, so that the other one gets some.
    for (int i = 0; i < 20; ++i) {
      EXPECT_TRUE(net::block_on(system_.runtime,
                                system_.broker->push("default", 0, encode_message(again))));
    }
  }
  wait_until([&] { return system_.waiting("default") == 0; });
  release_.set();
  wait_until([&] { return system_.unacknowledged() == 0; });
  EXPECT_EQ(runs(ended), 1);
  EXPECT_EQ(runs(running), 1);
  EXPECT_TRUE(worker->stop(test::kLimit));
  EXPECT_TRUE(other->stop(test::kLimit));
}

TEST_F(LossTest, AResultWhoseAnnouncementWasLostIsFound) {
  const auto consumer = system_.broker->register_consumer({"default"});
  const std::string id = system_.apply("t");
  std::atomic<bool> answered{false};
  const std::jthread waiting = start_thread("waiting", [&](const std::stop_token&) {
    answered = net::block_on(system_.runtime, system_.queue->wait(id, 20s)).has_value();
  });
  wait_until([&] { return is_awaited(id); });
  // Into the table, and not a word on the bus.
  EXPECT_TRUE(persistence::TaskRepository(*system_.database)
                  .mark_finished(id, kSuccess, "1", "", now_unix()));
  wait_until([&] { return answered.load(); });
}

TEST_F(LossTest, SlowAndSilentItLosesNothing) {
  std::vector<std::string> ids;
  for (int i = 0; i < 150; ++i) ids.push_back(system_.apply("t"));
  const auto worker = start_worker("one@here");
  // Longer than a command may take: what is on its way then is left open, claims too.
  for (int i = 0; i < 3; ++i) {
    server_.freeze();
    EXPECT_FALSE(net::block_on(system_.runtime, client_->ping()));
    server_.thaw();
    wait_until([&] { return net::block_on(system_.runtime, client_->ping()).has_value(); });
  }
  for (const std::string& id : ids) EXPECT_EQ(system_.wait(id).status, kSuccess);
  for (const std::string& id : ids) EXPECT_EQ(runs(id), 1) << id;
  wait_until([&] { return system_.unacknowledged() == 0; });
  EXPECT_TRUE(worker->stop(test::kLimit));
}

TEST_F(LossTest, OutOfMemoryASendFailsAndAResultIsStoredAllTheSame) {
  const auto worker = start_worker("one@here");
  const std::string running = system_.apply("held");
  wait_until([&] { return runs(running) == 1; });
  server_.cli({"CONFIG", "SET", "maxmemory-policy", "noeviction"});
  server_.cli({"CONFIG", "SET", "maxmemory", "1"});
  const auto refused =
      net::block_on(system_.runtime, system_.queue->apply_async("t", {}, {}, {.task_id = "full"}));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::resource_exhausted);
  const auto told = net::block_on(system_.runtime, system_.queue->result("full"));
  ASSERT_TRUE(told && *told);
  EXPECT_EQ((*told)->status, kFailure) << "who was told that it failed must not see it wait";
  release_.set();
  EXPECT_EQ(system_.wait(running).status, kSuccess);
  // A message goes and a result comes, in one script: Redis lets that be done.
  wait_until([&] { return stored(running).find("released") != std::string::npos; });
  server_.cli({"CONFIG", "SET", "maxmemory", "0"});
  EXPECT_EQ(system_.wait(system_.apply("t")).status, kSuccess);
  wait_until([&] { return system_.unacknowledged() == 0; });
  EXPECT_TRUE(worker->stop(test::kLimit));
}

}  // namespace
}  // namespace alphaswarm::tasks
