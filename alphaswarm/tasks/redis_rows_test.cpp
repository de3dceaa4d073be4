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
  const auto later = start_worker(WorkerConfig{.queues = {"later"}, .hostname = "later@here"});
  EXPECT_EQ(system_.wait(next).result, json::value(next));
  EXPECT_EQ(runs(next), 1);
  EXPECT_EQ(runs("first"), 1);
}

INSTANTIATE_TEST_SUITE_P(WithItsLastSecondsAndWithAll, FollowerTest, ::testing::Bool());

// ---- what is sent again is what was sent

TEST_F(RowsTest, WhatIsSentAgainHasItsPriorityItsTimesAndItsLimits) {
  watch(100ms);
  const UnixNanos later{now_unix().value / 1'000'000 * 1'000'000 + 3'600'000'000'000};
  const UnixNanos never{later.value + 1};
  const std::string waits = system_.apply(
      "t", {},
      {.queue = "q", .priority = 6, .eta = later, .expires = never, .ignore_result = true});
  TaskMessage limited;  // of another client, with a worker that goes away before it has done it
  limited.id = "limited";
  limited.task = "gives back";
  limited.queue = "q2";
  limited.priority = 3;
  limited.time_limit_seconds = 60;
  limited.soft_time_limit_seconds = 30.5;
  limited.group = "group";
  limited.root_id = "root";
  limited.ignore_result = std::nullopt;
  net::AsyncEvent taken;
  auto worker = system_.make_worker({.queues = {"q2"}, .hostname = "one@here"});
  worker->register_task("gives back", [&](TaskContext& context) -> net::task<Result<json::value>> {
    taken.set();
    while (!context.stop.stop_requested()) (void)co_await net::sleep_for(1h);
    co_return fail(ErrorCode::cancelled, "stopping");
  });
  worker->start();
  EXPECT_TRUE(run(system_.broker->push("q2", 3, encode_message(limited))));
  EXPECT_TRUE(run(taken.wait_for(test::kLimit)));
  server_.kill();
  EXPECT_TRUE(worker->stop(test::kLimit));
  server_.start();
  const auto sent_again = [&](const std::string& list) {
    wait_until([&] { return server_.cli({"LLEN", list}) == "1\n"; });
    auto message = decode_message(server_.cli({"LINDEX", list, "0"}));
    EXPECT_TRUE(message) << message.error().message;
    return message ? *message : TaskMessage();
  };
  const TaskMessage again = sent_again(
      "q\x06\x16"
      "6");
  EXPECT_EQ(again.id, waits);
  EXPECT_EQ(again.priority, 6);
  EXPECT_EQ(again.eta, later);
  EXPECT_EQ(again.expires, UnixNanos{later.value});  // as Celery writes times, in microseconds
  EXPECT_EQ(again.ignore_result, std::optional(true));
  const TaskMessage ours = sent_again(
      "q2\x06\x16"
      "3");
  EXPECT_EQ(ours.id, "limited");
  EXPECT_EQ(ours.time_limit_seconds, std::optional(60.0));
  EXPECT_EQ(ours.soft_time_limit_seconds, std::optional(30.5));
  EXPECT_EQ(ours.group, "group");
  EXPECT_EQ(ours.root_id, "root");
  EXPECT_EQ(ours.ignore_result, std::nullopt);
}

TEST_F(RowsTest, ARetryThatIsSentAgainWaitsForItsTime) {
  watch(100ms);
  auto worker = system_.make_worker({.hostname = "one@here"});
  worker->register_task("flaky",
                        [](TaskContext&) -> net::task<Result<json::value>> {
                          co_return fail(ErrorCode::unavailable, "not yet");
                        },
                        {.max_retries = 3, .first_backoff = 3600s, .longest_backoff = 3600s});
  worker->start();
  const std::string id = system_.apply("flaky");
  wait_until([&] {
    const std::vector<TaskInfo> held = worker->tasks();
    return held.size() == 1 && held[0].phase == TaskPhase::scheduled;
  });
  EXPECT_EQ(status_of(id), kRetry);
  server_.kill();
  EXPECT_TRUE(worker->stop(test::kLimit));
  server_.start();
  wait_until([&] { return server_.cli({"LLEN", "default"}) == "1\n"; });
  const auto again = decode_message(server_.cli({"LINDEX", "default", "0"}));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->retries, 1);
  ASSERT_TRUE(again->eta);
  EXPECT_GT(*again->eta, now_unix());
}

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

// ---- a row that somebody else ends while the task runs

TEST_F(RowsTest, AResultThatComesSecondIsNotStored) {
  const auto worker = start_worker("one@here");
  const std::string id = system_.apply("held");
  wait_until([&] { return runs(id) == 1; });
  EXPECT_TRUE(*persistence::TaskRepository(*system_.database)
                   .mark_finished(id, kFailure, "", "elsewhere", now_unix()));
  release_.set();
  wait_until([&] { return system_.unacknowledged() == 0; });
  EXPECT_THAT(stored(id), ::testing::HasSubstr("elsewhere"));
  EXPECT_EQ(status_of(id), kFailure);
  const auto row = persistence::TaskRepository(*system_.database).find(id);
  EXPECT_EQ((*row)->terminal_frame_json, "") << "whoever ended it says so";
}

TEST_F(RowsTest, AResultThatComesSecondDoesNotTakeThePlaceOfTheFirst) {
  const auto worker = start_worker("one@here");
  const std::string id = system_.apply("held");
  wait_until([&] { return runs(id) == 1; });
  const std::string text =
      R"({"status":"FAILURE","result":{"exc_type":"KeyError","exc_message":["x"]}})";
  server_.cli({"SET", result_key(id), text});
  EXPECT_TRUE(*persistence::TaskRepository(*system_.database)
                   .mark_finished(id, kFailure, "", "x", now_unix()));
  release_.set();
  wait_until([&] { return system_.unacknowledged() == 0; });
  EXPECT_EQ(stored(id), text + "\n");
}

}  // namespace
}  // namespace alphaswarm::tasks
