// What a Redis that went back in time may still hold is looked for in pages, by one process.

#include "alphaswarm/tasks/redis_setback.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "alphaswarm/base/thread.hpp"
#include "alphaswarm/tasks/test_support.hpp"
#include "tests/support/redis.hpp"

namespace alphaswarm::tasks {
namespace {

using namespace std::chrono_literals;

std::string envelope(const std::string& id) {
  TaskMessage message;
  message.id = id;
  message.task = "t";
  message.queue = "q";
  return encode_message(message);
}

Delivery sent(const std::string& id) { return {envelope(id), "q", {}, id}; }

class SetbackTest : public ::testing::Test {
 protected:
  template <class T>
  T run(net::task<T> work) {
    return net::block_on(runtime_, std::move(work));
  }
  std::shared_ptr<Broker> make() {
    return make_redis_broker(runtime_, std::make_shared<net::RedisClient>(
                                           runtime_, *net::parse_redis_url(server_.url())));
  }
  void SetUp() override { EXPECT_FALSE(*run(broker_->find_setback(0ns))); }
  // As after a restart.
  Setback set_back(Broker& broker) {
    server_.cli({"HSET", "alphaswarm:broker:run", "run", "an earlier one"});
    auto found = run(broker.find_setback(0ns));
    EXPECT_TRUE(found && *found);
    return found && *found ? **found : Setback();
  }
  void push(const std::string& id) { EXPECT_TRUE(run(broker_->push("q", 0, envelope(id)))); }
  // Of others, by the thousand.
  void fill(const std::string& script, int count) {
    server_.cli({"EVAL", script, "0", envelope("ID"), std::to_string(count)});
  }
  // Of scripts that Redis was asked to run.
  int scripts() {
    const std::string all = server_.cli({"INFO", "commandstats"});
    const std::string name = "cmdstat_evalsha:calls=";
    const std::size_t at = all.find(name);
    return at == std::string::npos ? 0 : std::atoi(all.c_str() + at + name.size());
  }

  alphaswarm::testing::RedisServer server_;
  net::Runtime runtime_{"setback-test", 2};
  std::shared_ptr<Broker> broker_ = make();
  std::shared_ptr<Broker> beside_ = make();
};

TEST_F(SetbackTest, OnlyWhoHasTheLockNotesAndReleases) {
  const Setback late = set_back(*broker_);
  server_.cli({"DEL", "alphaswarm:broker:run:lock"});  // its time has passed
  const Setback now = set_back(*beside_);
  EXPECT_NE(late.owner, now.owner);
  const auto overtaken = run(broker_->presume_lent_if_missing({sent("a")}, 1s, late));
  ASSERT_FALSE(overtaken);
  EXPECT_EQ(overtaken.error().code, ErrorCode::conflict);
  EXPECT_EQ(run(broker_->unacknowledged()).value_or(9), 0U);
  EXPECT_EQ(server_.cli({"GET", "alphaswarm:broker:run:lock"}), now.owner + "\n");
  EXPECT_FALSE(*run(broker_->find_setback(0ns))) << "it is being seen to";
  EXPECT_EQ(run(beside_->presume_lent_if_missing({sent("a")}, 1s, now)).value_or(9), 1U);
  EXPECT_EQ(server_.cli({"EXISTS", "alphaswarm:broker:run:lock"}), "0\n");
  EXPECT_FALSE(*run(broker_->find_setback(0ns))) << "it was seen to";
}

TEST_F(SetbackTest, LooksThroughQueuesInPages) {
  push("oldest");
  fill(
      "for i = 1, ARGV[2] do redis.call('LPUSH', 'q', (ARGV[1]:gsub('\"ID\"', '\"q' .. i .. "
      "'\"'))) end",
      5'000);
  push("middle");
  fill(
      "for i = 1, ARGV[2] do redis.call('HSET', 'unacked', i, '[' .. ARGV[1] .. ',\"\",\"q\"]') "
      "end",
      5'000);
  server_.cli({"HSET", "unacked", "tag", detail::lent_of(sent("lent"))});
  fill("for i = 1, ARGV[2] do redis.call('LPUSH', 'q', ARGV[1]) end", 5'000);
  push("newest");
  server_.cli({"SET", result_key("ended"), R"({"status":"SUCCESS"})"});
  const Setback setback = set_back(*broker_);
  std::vector<Delivery> all;
  for (const char* id : {"oldest", "middle", "newest", "lent", "ended", "lost", "q4711", "1000"}) {
    all.push_back(sent(id));
  }
  const int before = scripts();
  EXPECT_EQ(run(broker_->presume_lent_if_missing(all, 1s, setback)).value_or(9), 2U);
  EXPECT_EQ(server_.cli({"HEXISTS", "unacked", "lost:lost"}), "1\n");
  EXPECT_EQ(server_.cli({"HEXISTS", "unacked", "lost:1000"}), "1\n");  // no count of a page
  // Ten pages of a list and five of what is lent.
  EXPECT_GE(scripts() - before, 15) << "Redis stood still for thousands of messages";
}

TEST_F(SetbackTest, WhatGoesBackToItsQueueMeanwhileIsNotTakenForLost) {
  std::vector<Delivery> all;
  for (int i = 0; i < 200; ++i) {
    all.push_back(sent("task " + std::to_string(i)));
    push(all.back().task_id);
  }
  std::atomic<bool> over{false};
  std::atomic<int> given{0};
  const std::jthread churn = start_thread("churn", [&](const std::stop_token&) {
    while (!over) {
      const auto taken = run(beside_->take({"q"}, 200, 0ms));
      if (!taken) continue;
      for (const Delivery& each : *taken) {
        if (run(beside_->give_back(each))) ++given;
      }
    }
  });
  std::size_t noted = 0;
  for (int i = 0; i < 15; ++i) {
    const auto looked = run(broker_->presume_lent_if_missing(all, 1s, set_back(*broker_)));
    if (looked) noted += *looked;
    server_.cli({"DEL", "alphaswarm:broker:run:lock"});
  }
  over = true;
  EXPECT_EQ(noted, 0U);
  EXPECT_GT(given, 200);
}

}  // namespace
}  // namespace alphaswarm::tasks
