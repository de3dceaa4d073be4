#include "alphaswarm/tasks/worker.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <boost/json/parse.hpp>
#include <latch>
#include <stdexcept>

#include "alphaswarm/persistence/task_repository.hpp"
#include "alphaswarm/tasks/test_support.hpp"
#include "alphaswarm/tasks/unfinished.hpp"

namespace alphaswarm::tasks {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using test::System;
using testing::HasSubstr;

TaskFunction returning(json::value value) {
  return [value](TaskContext&) -> net::task<Result<json::value>> { co_return value; };
}

// Lives until it is asked to stop, then returns what it is given.
TaskFunction until_stopped(net::AsyncEvent& started, Result<json::value> result) {
  return [&started, result](TaskContext& context) -> net::task<Result<json::value>> {
    started.set();
    while (!context.stop.stop_requested()) (void)co_await net::sleep_for(1h);
    co_return result;
  };
}

persistence::TaskRow row_of(System& system, const std::string& id) {
  auto row = persistence::TaskRepository(*system.database).find(id);
  EXPECT_TRUE(row && *row);
  return row && *row ? **row : persistence::TaskRow{};
}

json::object terminal_frame(System& system, const std::string& id) {
  return json::parse(row_of(system, id).terminal_frame_json).as_object();
}

TEST(Worker, RunsATaskAndStoresItsResult) {
  System system;
  auto worker = system.make_worker({.hostname = "celery@test"});
  worker->register_task("add", [](TaskContext& context) -> net::task<Result<json::value>> {
    const json::value* left = context.argument("left", 0);
    const json::value* right = context.argument("right", 1);
    EXPECT_EQ(context.argument("none", 2), nullptr);
    EXPECT_EQ(context.queue, "backtest");
    co_return json::value(left->to_number<int>() + right->to_number<int>());
  });
  worker->start();
  auto id = net::block_on(
      system.runtime, system.queue->apply_async("add", {1}, {{"right", 2}}, {.queue = "backtest"}));
  ASSERT_TRUE(id);
  const TaskResult result = system.wait(*id);
  EXPECT_EQ(result.status, kSuccess);
  EXPECT_EQ(result.result, 3);
  EXPECT_TRUE(result.date_done);
  EXPECT_TRUE(worker->stop(test::kLimit));
  const persistence::TaskRow row = row_of(system, *id);
  EXPECT_EQ(row.status, "SUCCESS");
  EXPECT_EQ(row.result_json, "3");
  EXPECT_EQ(row.worker, "celery@test");
  EXPECT_TRUE(row.started_at && row.finished_at);
  EXPECT_EQ(terminal_frame(system, *id).at("stage"), "done");
  EXPECT_EQ(system.unacknowledged(), 0U);
}

TEST(Worker, AnUnknownTaskFailsAsNotRegistered) {
  System system;
  auto worker = system.make_worker();
  worker->start();
  const std::string id = system.apply("nobody.knows");
  const TaskResult result = system.wait(id);
  EXPECT_EQ(result.status, kFailure);
  EXPECT_EQ(result.exception_type, "NotRegistered");
  EXPECT_THAT(result.error, HasSubstr("nobody.knows"));
  EXPECT_TRUE(worker->stop(test::kLimit));
  EXPECT_EQ(terminal_frame(system, id).at("stage"), "error");
}

TEST(Worker, ErrorsAndExceptionsAreFailures) {
  System system;
  auto worker = system.make_worker();
  worker->register_task("error", [](TaskContext&) -> net::task<Result<json::value>> {
    co_return fail(ErrorCode::invalid_argument, "no such strategy");
  });
  worker->register_task("exception", [](TaskContext&) -> net::task<Result<json::value>> {
    throw std::out_of_range("far away");
    co_return json::value();
  });
  worker->register_task("odd", [](TaskContext&) -> net::task<Result<json::value>> {
    throw 7;
    co_return json::value();
  });
  worker->start();
  const TaskResult error = system.wait(system.apply("error"));
  EXPECT_EQ(error.status, kFailure);
  EXPECT_EQ(error.exception_type, "InvalidArgument");
  EXPECT_EQ(error.error, "no such strategy");
  const TaskResult exception = system.wait(system.apply("exception"));
  EXPECT_EQ(exception.status, kFailure);
  EXPECT_EQ(exception.exception_type, "std::out_of_range");
  EXPECT_EQ(exception.error, "far away");
  EXPECT_EQ(system.wait(system.apply("odd")).status, kFailure);
}

TEST(Worker, RetriesWhatSaysItIsRetryable) {
  System system;
  auto worker = system.make_worker();
  std::atomic<int> attempts{0};
  worker->register_task("flaky",
                        [&](TaskContext& context) -> net::task<Result<json::value>> {
                          ++attempts;
                          if (context.retries < 2)
                            co_return fail(ErrorCode::unavailable, "not yet");
                          co_return json::value("at last");
                        },
                        {.max_retries = 3, .first_backoff = 2ms, .longest_backoff = 3ms});
  worker->register_task("hopeless",
                        [](TaskContext&) -> net::task<Result<json::value>> {
                          co_return fail(ErrorCode::unavailable, "never");
                        },
                        {.max_retries = 1, .first_backoff = 1ms, .longest_backoff = 1ms});
  worker->start();
  const std::string id = system.apply("flaky");
  EXPECT_EQ(system.wait(id).result, "at last");
  EXPECT_EQ(attempts, 3);
  EXPECT_EQ(row_of(system, id).retries, 2);
  const std::string hopeless = system.apply("hopeless");
  EXPECT_EQ(system.wait(hopeless).status, kFailure);
  EXPECT_EQ(row_of(system, hopeless).retries, 1);
}

TEST(Worker, WaitsForEtaWithoutHoldingASlot) {
  System system;
  auto worker = system.make_worker({.concurrency = 1});
  worker->register_task("now", returning("now"));
  worker->register_task("when", [](TaskContext&) -> net::task<Result<json::value>> {
    co_return json::value(now_unix().value);
  });
  worker->start();
  const UnixNanos due{now_unix().value + 50'000'000};
  const std::string later = system.apply("when", {}, {.eta = due});
  EXPECT_EQ(system.wait(system.apply("now")).result, "now");
  EXPECT_GE(system.wait(later).result.as_int64(), due.value);
}

TEST(Worker, AnExpiredTaskIsRevokedUnrun) {
  System system;
  auto worker = system.make_worker();
  std::atomic<bool> ran{false};
  worker->register_task("t", [&](TaskContext&) -> net::task<Result<json::value>> {
    ran = true;
    co_return json::value();
  });
  worker->start();
  const TaskResult result = system.wait(system.apply("t", {}, {.expires = UnixNanos{1}}));
  EXPECT_EQ(result.status, kRevoked);
  EXPECT_EQ(result.error, "expired");
  EXPECT_FALSE(ran);
}

TEST(Worker, RunsAsManyAtOnceAsItMay) {
  System system;
  auto worker = system.make_worker({.concurrency = 3});
  std::atomic<int> running{0};
  std::atomic<int> most{0};
  net::AsyncEvent all_three;
  worker->register_task("t", [&](TaskContext&) -> net::task<Result<json::value>> {
    const int now = ++running;
    int before = most.load();
    while (before < now && !most.compare_exchange_weak(before, now)) {
    }
    if (now == 3) all_three.set();
    (void)co_await all_three.wait_for(test::kLimit);
    --running;
    co_return json::value();
  });
  worker->start();
  std::vector<std::string> ids;
  for (int i = 0; i < 9; ++i) ids.push_back(system.apply("t"));
  for (const std::string& id : ids) EXPECT_EQ(system.wait(id).status, kSuccess);
  EXPECT_EQ(most, 3);
}

TEST(Worker, StopLetsATaskEndInOrder) {
  System system;
  auto worker = system.make_worker();
  net::AsyncEvent started;
  worker->register_task("session", until_stopped(started, json::value("ended in order")));
  worker->start();
  const std::string id = system.apply("session");
  EXPECT_TRUE(net::block_on(system.runtime, started.wait_for(test::kLimit)));
  EXPECT_EQ(worker->running(), 1U);
  EXPECT_TRUE(worker->stop(test::kLimit));
  EXPECT_EQ(system.wait(id).result, "ended in order");
  EXPECT_EQ(system.waiting("default"), 0U);
}

TEST(Worker, WhatAStoppedWorkerHasNotDoneIsDoneByTheNext) {
  System system;
  auto worker = system.make_worker();
  net::AsyncEvent started;
  worker->register_task("session", until_stopped(started, fail(ErrorCode::cancelled, "stopping")));
  worker->start();
  const std::string id = system.apply("session");
  const std::string waiting = system.apply("session", {}, {.eta = UnixNanos{INT64_MAX / 2}});
  EXPECT_TRUE(net::block_on(system.runtime, started.wait_for(test::kLimit)));
  EXPECT_TRUE(worker->stop(test::kLimit));
  EXPECT_EQ(system.waiting("default"), 2U);
  EXPECT_EQ(system.unacknowledged(), 0U);
  EXPECT_FALSE(system.broker->has_consumer("default"));
  EXPECT_EQ(row_of(system, id).terminal_frame_json, "");
  EXPECT_FALSE(row_of(system, waiting).started_at);

  auto next = system.make_worker();
  next->register_task("session", [](TaskContext& context) -> net::task<Result<json::value>> {
    co_return json::value(context.redelivered);
  });
  next->start();
  EXPECT_EQ(system.wait(id).result, true);
}

TEST(Worker, ATaskThatIgnoresTheStopIsGivenBackAndItsLateResultCountsOnce) {
  System system;
  auto worker = system.make_worker();
  net::AsyncEvent started;
  net::AsyncEvent let_go;
  worker->register_task("deaf", [&](TaskContext&) -> net::task<Result<json::value>> {
    started.set();
    (void)co_await net::shielded(let_go.wait());
    co_return json::value("late");
  });
  worker->start();
  const std::string id = system.apply("deaf");
  EXPECT_TRUE(net::block_on(system.runtime, started.wait_for(test::kLimit)));
  EXPECT_FALSE(worker->stop(1ms));
  EXPECT_EQ(system.waiting("default"), 1U);
  worker.reset();
  let_go.set();
  EXPECT_EQ(system.wait(id).result, "late");
  auto next = system.make_worker();
  std::atomic<bool> ran_again{false};
  next->register_task("deaf", [&](TaskContext&) -> net::task<Result<json::value>> {
    ran_again = true;
    co_return json::value("again");
  });
  next->register_task("marker", returning("after"));
  next->start();
  EXPECT_EQ(system.wait(system.apply("marker")).result, "after");
  EXPECT_TRUE(next->stop(test::kLimit));
  EXPECT_FALSE(ran_again);  // a redelivered id with a terminal result is acknowledged unrun
  EXPECT_EQ(system.wait(id).result, "late");
  EXPECT_EQ(system.waiting("default"), 0U);
}

TEST(Worker, AMalformedMessageIsDroppedAndTheNextOneRuns) {
  System system;
  auto worker = system.make_worker();
  worker->register_task("t", returning(1));
  worker->start();
  EXPECT_TRUE(net::block_on(system.runtime, system.broker->push("default", 0, "{rubbish")));
  EXPECT_EQ(system.wait(system.apply("t")).result, 1);
  EXPECT_TRUE(worker->stop(test::kLimit));
  EXPECT_EQ(system.unacknowledged(), 0U);
}

TEST(Worker, TakesTasksOfOtherClients) {
  System system;
  auto worker = system.make_worker();
  worker->register_task("t", returning(json::array{1, 2}));
  worker->start();
  TaskMessage message;
  message.id = "from-elsewhere";
  message.task = "t";
  EXPECT_TRUE(
      net::block_on(system.runtime, system.broker->push("default", 0, encode_message(message))));
  EXPECT_EQ(system.wait("from-elsewhere").status, kSuccess);
  EXPECT_TRUE(worker->stop(test::kLimit));
  EXPECT_EQ(row_of(system, "from-elsewhere").result_json, "[1,2]");
}

TEST(Worker, ThousandsOfTasksEachRunOnce) {
  System system(4);
  auto worker = system.make_worker({.concurrency = 8});
  constexpr int kTasks = 2000;
  std::vector<std::atomic<int>> runs(kTasks);
  worker->register_task("t", [&](TaskContext& context) -> net::task<Result<json::value>> {
    const auto number = context.args.at(0).to_number<std::size_t>();
    ++runs[number];
    if (number % 7 == 0) (void)co_await net::sleep_for(1ms);
    co_return json::value(number);
  });
  worker->start();
  std::vector<std::string> ids;
  for (int i = 0; i < kTasks; ++i) ids.push_back(system.apply("t", {i}));
  for (int i = 0; i < kTasks; ++i)
    EXPECT_EQ(system.wait(ids[static_cast<std::size_t>(i)]).result, i);
  for (const auto& count : runs) EXPECT_EQ(count, 1);
  EXPECT_TRUE(worker->stop(test::kLimit));
  EXPECT_EQ(worker->finished(), static_cast<std::uint64_t>(kTasks));
  EXPECT_EQ(system.unacknowledged(), 0U);
}

TEST(TaskQueue, WithoutAWorkerOneSentenceNamesTheSetting) {
  System system;
  const auto refused = net::block_on(system.runtime, system.queue->apply_async("t", {}, {}));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::unavailable);
  EXPECT_THAT(refused.error().message, HasSubstr("ALPHASWARM_REDIS_URL"));
  EXPECT_EQ(refused.error().message, no_worker_message());
}

TEST(TaskQueue, KnowsWhatItHasSentAndNothingElse) {
  System system;
  const auto consumer = system.broker->register_consumer({"default"});
  const std::string id = system.apply("t");
  const auto waiting = net::block_on(system.runtime, system.queue->result(id));
  ASSERT_TRUE(waiting && *waiting);
  EXPECT_EQ((*waiting)->status, kPending);
  const auto unknown = net::block_on(system.runtime, system.queue->result("unknown"));
  ASSERT_TRUE(unknown);
  EXPECT_FALSE(*unknown);
  const auto again =
      net::block_on(system.runtime, system.queue->apply_async("t", {}, {}, {.task_id = id}));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::already_exists);
  const auto late = net::block_on(system.runtime, system.queue->wait(id, 1ms));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, ErrorCode::deadline_exceeded);
}

TEST(TaskQueue, SendsAgainWhatAnEndedProcessHasLeft) {
  System system;
  std::string finished;
  std::string left;
  {
    auto worker = system.make_worker();
    worker->register_task("t", returning(1));
    worker->start();
    finished = system.apply("t");
    (void)system.wait(finished);
    left = system.apply("t", {7}, {.eta = UnixNanos{INT64_MAX / 2}});
    EXPECT_TRUE(worker->stop(test::kLimit));
  }
  persistence::TaskRow damaged;
  damaged.id = "damaged";
  damaged.args_json = "[";
  EXPECT_TRUE(persistence::TaskRepository(*system.database).insert(damaged));

  // As after a restart: the table is there, broker and bus are empty.
  const auto broker = make_memory_broker();
  const auto sent = net::block_on(system.runtime, requeue_unfinished(*broker, *system.database));
  ASSERT_TRUE(sent);
  EXPECT_EQ(*sent, 1U);
  EXPECT_EQ(row_of(system, "damaged").status, "FAILURE");
  const auto delivery = net::block_on(system.runtime, broker->pop({"default"}, 0ms));
  ASSERT_TRUE(delivery && *delivery);
  const auto message = decode_message((*delivery)->message);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->id, left);
  EXPECT_EQ(message->args.at(0), 7);
  EXPECT_EQ(message->eta, UnixNanos{INT64_MAX / 2 / 1'000 * 1'000});
  EXPECT_TRUE(message->redelivered);
}

}  // namespace
}  // namespace alphaswarm::tasks
