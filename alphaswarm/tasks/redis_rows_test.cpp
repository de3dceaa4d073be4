// A Redis that has lost its last seconds: what the table knows makes up for it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "alphaswarm/persistence/task_repository.hpp"
#include "alphaswarm/tasks/canvas.hpp"
#include "alphaswarm/tasks/loss_test_support.hpp"
#include "alphaswarm/tasks/message.hpp"

namespace alphaswarm::tasks {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

class RowsTest : public test::LossTest {
 protected:
  template <class T>
  T run(net::task<T> work) {
    return net::block_on(system_.runtime, std::move(work));
  }
  std::string status_of(const std::string& id) {
    const auto row = persistence::TaskRepository(*system_.database).find(id);
    return row && *row ? (*row)->status : "";
  }
  void push(const TaskMessage& message) {
    EXPECT_TRUE(run(system_.broker->push(message.queue, 0, encode_message(message))));
  }
};

// Of another client, and followed by a task in a queue that nobody takes yet.
TaskMessage followed(const std::string& id) {
  TaskMessage message;
  message.id = id;
  message.task = "held";
  message.embed =
      json::parse(R"({"chain":[{"task":"t","options":{"queue":"later"}}]})").as_object();
  return message;
}

class FollowerTest : public RowsTest, public ::testing::WithParamInterface<bool> {};

TEST_P(FollowerTest, ThatRedisLostAfterTheTaskBeforeItHasEndedIsSentAgain) {
  const bool snapshot = GetParam();
  watch(100ms);
  const auto worker = start_worker("one@here");
  const TaskMessage first = followed("first");
  const std::string next = after_success(first, nullptr)->front().id;
  push(first);
  wait_until([&] { return runs("first") == 1; });
  if (snapshot) server_.cli({"SAVE"});
  release_.set();
  wait_until([&] { return system_.waiting("later") == 1 && system_.unacknowledged() == 0; });
  EXPECT_EQ(status_of("first"), kSuccess);
  EXPECT_EQ(status_of(next), kPending);
  server_.restart();
  EXPECT_EQ(server_.cli({"LLEN", "later"}), "0\n");
  EXPECT_EQ(server_.cli({"EXISTS", "alphaswarm:broker:run"}), snapshot ? "1\n" : "0\n");
  const auto later = start_worker(WorkerConfig{.queues = {"later"}, .hostname = "later@here"});
  EXPECT_EQ(system_.wait(next).result, json::value(next));
  EXPECT_EQ(runs(next), 1);
  EXPECT_EQ(runs("first"), 1);
}

INSTANTIATE_TEST_SUITE_P(WithItsLastSecondsAndWithAll, FollowerTest, ::testing::Bool());

// ---- a claim that Redis has forgotten with its last second

TEST_F(RowsTest, AForgottenClaimIsLeftToTheWorkerThatHasIt) {
  const std::string id = system_.apply("held");
  server_.cli({"SAVE"});
  const auto worker = start_worker("one@here", 1);
  wait_until([&] { return runs(id) == 1; });
  server_.restart();
  EXPECT_EQ(server_.cli({"LLEN", "default"}), "1\n");
  const auto other = start_worker("two@here");
  wait_until([&] { return system_.waiting("default") == 0; });
  wait_until([&] { return server_.cli({"HKEYS", "unacked"}) == "lost:" + id + "\n"; });
  release_.set();
  EXPECT_EQ(system_.wait(id).result, "released");
  wait_until([&] { return stored(id).find("released") != std::string::npos; });
  wait_until([&] { return system_.unacknowledged() == 0; });
  EXPECT_EQ(runs(id), 1);
}

TEST_F(RowsTest, AForgottenClaimOfAWorkerThatHasDiedIsLentAgain) {
  const std::string id = system_.apply("t");
  EXPECT_TRUE(
      persistence::TaskRepository(*system_.database).mark_started(id, "dead@here", 0, now_unix()));
  const auto worker = start_worker(WorkerConfig{.claim_grace = 100ms, .hostname = "two@here"});
  EXPECT_EQ(system_.wait(id).status, kSuccess);
  EXPECT_EQ(runs(id), 1);
  wait_until([&] { return system_.unacknowledged() == 0; });
}

TEST_F(RowsTest, TheResultOfATaskThatHasEndedIsStoredWhereItIsMissing) {
  const std::string id = system_.apply("t");
  EXPECT_TRUE(*persistence::TaskRepository(*system_.database)
                   .mark_finished(id, kFailure, "", "in the table", now_unix()));
  const auto worker = start_worker("one@here");
  const auto done = [&] {
    return system_.waiting("default") == 0 && system_.unacknowledged() == 0;
  };
  wait_until(done);
  EXPECT_THAT(stored(id), ::testing::HasSubstr("in the table"));
  // What clients see says more than the table: it stays.
  const std::string text =
      R"({"status":"FAILURE","result":{"exc_type":"KeyError","exc_message":["x"]}})";
  server_.cli({"SET", result_key(id), text});
  TaskMessage again;
  again.id = id;
  again.task = "t";
  push(again);
  wait_until(done);
  EXPECT_EQ(stored(id), text + "\n");
  EXPECT_EQ(runs(id), 0);
}

}  // namespace
}  // namespace alphaswarm::tasks
