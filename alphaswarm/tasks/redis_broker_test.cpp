#include "alphaswarm/tasks/redis_broker.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "alphaswarm/base/thread.hpp"
#include "alphaswarm/tasks/redis_bus.hpp"
#include "alphaswarm/tasks/test_support.hpp"
#include "tests/support/redis.hpp"

namespace alphaswarm::tasks {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using alphaswarm::testing::RedisServer;

std::shared_ptr<net::RedisClient> connect(net::Runtime& runtime, const RedisServer& server) {
  return std::make_shared<net::RedisClient>(runtime, *net::parse_redis_url(server.url()));
}

std::string envelope(const std::string& id, int priority = 0) {
  TaskMessage message;
  message.id = id;
  message.task = "t";
  message.queue = "q";
  message.priority = priority;
  return encode_message(message);
}

class RedisBrokerTest : public ::testing::Test {
 protected:
  template <class T>
  T run(net::task<T> work) {
    return net::block_on(runtime_, std::move(work));
  }
  std::shared_ptr<Broker> make(const RedisBrokerOptions& options = {}) {
    return make_redis_broker(runtime_, connect(runtime_, server_), options);
  }
  void push(const std::string& id, int priority = 0, const std::string& queue = "q") {
    EXPECT_TRUE(run(broker_->push(queue, priority, envelope(id, priority))));
  }
  std::vector<std::string> take(std::vector<std::string> queues, std::size_t most) {
    auto taken = run(broker_->take(std::move(queues), most, 0ms));
    EXPECT_TRUE(taken) << taken.error().message;
    std::vector<std::string> ids;
    for (const Delivery& delivery : *taken) ids.push_back(decode_message(delivery.message)->id);
    return ids;
  }
  Delivery take_one() {
    auto taken = run(broker_->pop({"q"}, 20s));
    EXPECT_TRUE(taken && *taken);
    return taken && *taken ? **taken : Delivery{};
  }

  RedisServer server_;
  net::Runtime runtime_{"redis-broker-test", 2};
  std::shared_ptr<Broker> broker_ = make();
};

TEST_F(RedisBrokerTest, ANextTryTakesThePlaceOfTheOneBeforeIt) {
  push("a");
  const Delivery first = take_one();
  const NextTry next{"q", 3, envelope("b", 3), {"celery-task-meta-a", "RETRY", 60s}};
  server_.cli({"SET",
               "q\x06\x16"
               "3",
               "no list"});
  EXPECT_FALSE(run(broker_->requeue({first}, next)));
  EXPECT_EQ(run(broker_->unacknowledged()).value_or(9), 1U) << "refused, it is lent as before";
  server_.cli({"DEL",
               "q\x06\x16"
               "3"});
  EXPECT_TRUE(*run(broker_->requeue({first}, next)));
  EXPECT_EQ(run(broker_->unacknowledged()).value_or(9), 0U);
  EXPECT_EQ(server_.cli({"ZCARD", "unacked_index"}), "0\n");
  EXPECT_EQ(server_.cli({"GET", "celery-task-meta-a"}), "RETRY\n");
  EXPECT_FALSE(*run(broker_->requeue({first}, {"q", 0, "x", {"celery-task-meta-a", "x", 60s}})));
  EXPECT_EQ(server_.cli({"GET", "celery-task-meta-a"}), "RETRY\n");
  EXPECT_EQ(take({"q"}, 9), std::vector<std::string>{"b"});
}

TEST_F(RedisBrokerTest, ManyAtOnceLowestPriorityStepFirstQueuesInTurn) {
  push("nine", 9);
  push("four", 4);  // in the list of step 3
  EXPECT_EQ(server_.cli({"LLEN",
                         "q\x06\x16"
                         "3"}),
            "1\n");
  for (const char* id : {"a1", "a2", "a3"}) push(id, 0, "a");
  push("b1", 0, "b");
  EXPECT_EQ(run(broker_->waiting("a")).value_or(0), 3U);
  auto ids = take({"a", "b", "q"}, 3);
  EXPECT_TRUE(
      (std::set<std::string>(ids.begin(), ids.end()) == std::set<std::string>{"a1", "b1", "a2"}));
  EXPECT_EQ(take({"a", "b", "q"}, 9), (std::vector<std::string>{"a3", "four", "nine"}));
  EXPECT_EQ(run(broker_->unacknowledged()).value_or(0), 6U);
  EXPECT_EQ(server_.cli({"ZCARD", "unacked_index"}), "6\n");
}

TEST_F(RedisBrokerTest, ABarePushOfAnotherClientWakesAtOnce) {
  const std::jthread python = start_thread("python", [&](const std::stop_token&) {
    // When the broker waits on the list, and not before.
    while (server_.cli({"CLIENT", "LIST"}).find("cmd=blmove") == std::string::npos) {
    }
    server_.cli({"LPUSH",
                 "q\x06\x16"
                 "9",
                 envelope("bare", 9)});
  });
  const std::int64_t begin = monotonic_ns();
  EXPECT_EQ(decode_message(take_one().message)->id, "bare");
  EXPECT_LT(monotonic_ns() - begin, 5'000'000'000);
}

TEST_F(RedisBrokerTest, AResultIsStoredOnceByWhoHasTheMessage) {
  push("one");
  const Delivery delivery = take_one();
  const StoredResult first{"celery-task-meta-one", "first", 60s};
  const StoredResult second{"celery-task-meta-one", "second", 60s};
  EXPECT_TRUE(*run(broker_->finish(delivery, first)));
  EXPECT_FALSE(*run(broker_->finish(delivery, second)));
  EXPECT_EQ(run(broker_->find_result("celery-task-meta-one"))->value_or(""), "first");
  EXPECT_EQ(run(broker_->unacknowledged()).value_or(9), 0U);
  EXPECT_EQ(server_.cli({"ZCARD", "unacked_index"}), "0\n");
}

TEST_F(RedisBrokerTest, GivenBackItIsNextAndMarked) {
  push("first", 3);
  push("later", 3);
  const Delivery delivery = take_one();
  EXPECT_TRUE(run(broker_->give_back(delivery)));
  EXPECT_TRUE(run(broker_->give_back(delivery)));  // does nothing
  const auto again = decode_message(take_one().message);
  EXPECT_EQ(again->id, "first");
  EXPECT_TRUE(again->redelivered);
  EXPECT_EQ(run(broker_->waiting("q")).value_or(0), 1U);
}

TEST_F(RedisBrokerTest, WhatALostWorkerHadIsLentAgainAndWhatIsKeptIsNot) {
  push("lost");
  push("kept");
  (void)take_one();
  const Delivery kept = take_one();
  // As if an hour had passed for both; then one is kept.
  const std::string tags = server_.cli({"ZRANGE", "unacked_index", "0", "-1"});
  std::istringstream lines(tags);
  for (std::string tag; std::getline(lines, tag);) server_.cli({"ZADD", "unacked_index", "1", tag});
  std::vector<Delivery> still_worked_on = {kept};
  EXPECT_TRUE(run(broker_->keep(std::move(still_worked_on))));
  const auto other = make();
  const auto consumer = other->register_consumer({"q"});
  const auto restored = decode_message(take_one().message);
  EXPECT_EQ(restored->id, "lost");
  EXPECT_TRUE(restored->redelivered);
  EXPECT_TRUE(take({"q"}, 5).empty());
  EXPECT_TRUE(*run(broker_->finish(kept, {"celery-task-meta-kept", "x", 60s})));
}

TEST_F(RedisBrokerTest, ManyConsumersLoseNothingAndGetNothingTwice) {
  constexpr int kMessages = 300;
  std::mutex mutex;
  std::multiset<std::string> seen;
  std::vector<std::jthread> threads;
  for (int consumer = 0; consumer < 3; ++consumer) {
    threads.push_back(start_thread("consumer", [&](const std::stop_token&) {
      const auto own = make();
      for (;;) {
        const auto taken = run(own->take({"q"}, 7, 20s));
        ASSERT_TRUE(taken && !taken->empty());
        for (const Delivery& delivery : *taken) {
          const std::string id = decode_message(delivery.message)->id;
          EXPECT_TRUE(run(own->acknowledge(delivery)));
          if (id.starts_with("end")) return;
          const std::scoped_lock lock(mutex);
          seen.insert(id);
        }
      }
    }));
  }
  for (int i = 0; i < kMessages; ++i) push(std::to_string(i), i % 3);
  while (run(broker_->waiting("q")).value_or(1) + run(broker_->unacknowledged()).value_or(1) > 0) {
  }
  // One at a time, so that nobody takes two.
  for (int i = 0; i < 3; ++i) {
    push("end" + std::to_string(i));
    while (run(broker_->waiting("q")).value_or(1) + run(broker_->unacknowledged()).value_or(1) >
           0) {
    }
  }
  threads.clear();
  EXPECT_EQ(seen.size(), static_cast<std::size_t>(kMessages));
  EXPECT_EQ(std::set<std::string>(seen.begin(), seen.end()).size(), seen.size());
}

TEST_F(RedisBrokerTest, ATaskLongerThanTheVisibilityTimeOutIsNotStartedTwice) {
  test::System system;
  const auto client = connect(system.runtime, server_);
  system.bus = make_redis_bus(client, client);
  system.broker = make_redis_broker(system.runtime, client,
                                    {.visibility_timeout = 400ms, .restore_interval = 50ms});
  system.queue = std::make_unique<TaskQueue>(system.broker, system.bus, system.database);
  auto worker = system.make_worker();
  std::atomic<int> runs{0};
  worker->register_task("long", [&](TaskContext&) -> net::task<Result<json::value>> {
    ++runs;
    (void)co_await net::sleep_for(1200ms);  // three visibility time-outs
    co_return json::value("done");
  });
  worker->start();
  const std::string id = system.apply("long");
  EXPECT_EQ(system.wait(id).result, "done");
  EXPECT_EQ(runs, 1);
  EXPECT_EQ(system.unacknowledged(), 0U);
  EXPECT_TRUE(worker->stop(test::kLimit));
}

}  // namespace
}  // namespace alphaswarm::tasks
