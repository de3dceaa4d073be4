// What follows a task when its worker dies between sending it and noting its own end.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <boost/json/parse.hpp>
#include <thread>

#include "alphaswarm/persistence/task_repository.hpp"
#include "alphaswarm/tasks/canvas.hpp"
#include "alphaswarm/tasks/test_support.hpp"

namespace alphaswarm::tasks {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using test::System;

struct Chain {
  explicit Chain(std::string_view embed) {
    first.id = "first";
    first.task = "first";
    first.embed = json::parse(embed).as_object();
    worker->register_task("first", [this](TaskContext&) -> net::task<Result<json::value>> {
      if (fails) co_return fail(ErrorCode::invalid_argument, "no more");
      co_return json::value(7);
    });
    worker->register_task("next", [this](TaskContext& context) -> net::task<Result<json::value>> {
      ++runs;
      co_return context.args.front();
    });
    worker->start();
  }
  void send() {
    EXPECT_TRUE(
        net::block_on(system.runtime, system.broker->push("default", 0, encode_message(first))));
  }
  // As if the worker had died before it noted the end of the first: its message comes again.
  void again() {
    // Until then the worker has the message, and one more of it would be no other.
    const auto until = std::chrono::steady_clock::now() + test::kLimit;
    while (system.unacknowledged() != 0 && std::chrono::steady_clock::now() < until) {
      std::this_thread::sleep_for(1ms);
    }
    const std::string open = R"({"task_id":"first","status":"STARTED"})";
    EXPECT_TRUE(net::block_on(system.runtime, system.bus->set(result_key("first"), open, 60s)));
    EXPECT_EQ(system.database->execute("UPDATE tasks SET status = 'STARTED', finished_at = NULL "
                                       "WHERE id = 'first'"),
              1);
    first.redelivered = true;
    send();
  }
  persistence::TaskRow row(const std::string& id) {  // without an id if there is none
    const auto found = persistence::TaskRepository(*system.database).find(id);
    return found && *found ? **found : persistence::TaskRow();
  }
  std::size_t waiting_after(const std::string& id) {
    (void)system.wait(id);
    EXPECT_TRUE(worker->stop(test::kLimit));
    return system.waiting("nobody");
  }

  System system;
  std::atomic<bool> fails{false};
  std::atomic<int> runs{0};
  TaskMessage first;
  std::unique_ptr<Worker> worker = system.make_worker();
};

TEST(WorkerFollow, ALinkWithoutAnIdIsSentOnceThoughTheTaskBeforeItComesAgain) {
  Chain chain(R"({"callbacks":[{"task":"next"}]})");
  const std::string next = after_success(chain.first, 7)->front().id;
  chain.send();
  EXPECT_EQ(chain.system.wait(next).result, 7);
  EXPECT_EQ(chain.row(next).args_json, "[7]");
  (void)chain.system.wait("first");
  chain.again();
  (void)chain.system.wait("first");
  EXPECT_TRUE(chain.worker->stop(test::kLimit));
  EXPECT_EQ(chain.system.waiting("default"), 0U);
  EXPECT_EQ(chain.runs, 1);
}

TEST(WorkerFollow, WhatHasNotBegunIsSentAgain) {
  Chain chain(R"({"callbacks":[{"task":"next","options":{"queue":"nobody","task_id":"n"}}]})");
  chain.send();
  (void)chain.system.wait("first");
  EXPECT_EQ(chain.row("n").status, kPending);
  chain.again();
  EXPECT_EQ(chain.waiting_after("first"), 2U) << "its first message may have been lost";
}

TEST(WorkerFollow, WhatWaitsForItsRetryIsNotSentAgain) {
  Chain chain(R"({"callbacks":[{"task":"next","options":{"queue":"nobody","task_id":"n"}}]})");
  chain.send();
  (void)chain.system.wait("first");
  EXPECT_TRUE(persistence::TaskRepository(*chain.system.database)
                  .mark_retry("n", "not yet", 1, R"({"parent_id":"n"})"));
  chain.again();
  EXPECT_EQ(chain.waiting_after("first"), 1U);
}

TEST(WorkerFollow, WhatWillNotBeSentAfterAllIsNotLeftOpen) {
  Chain chain(R"({"callbacks":[{"task":"next","options":{"queue":"nobody","task_id":"n"}}]})");
  chain.send();
  (void)chain.system.wait("first");
  chain.fails = true;
  chain.again();
  EXPECT_EQ(chain.system.wait("first").status, kFailure);
  EXPECT_TRUE(chain.worker->stop(test::kLimit));
  EXPECT_EQ(chain.row("n").status, kFailure);
  EXPECT_EQ(chain.row("n").error, "no more");
}

TEST(WorkerFollow, ALinkOfSeveralTasksIsNotEndedByOneThatFails) {
  Chain chain(R"({"callbacks":[{"task":"next","options":{"queue":"nobody","task_id":"n"}}]})");
  chain.send();
  (void)chain.system.wait("first");
  chain.fails = true;
  chain.first.id = "second";
  chain.send();
  EXPECT_EQ(chain.system.wait("second").status, kFailure);
  EXPECT_TRUE(chain.worker->stop(test::kLimit));
  EXPECT_EQ(chain.row("n").status, kPending);
}

TEST(WorkerFollow, ALinkOfSeveralTasksIsSentByEach) {
  Chain chain(R"({"callbacks":[{"task":"next","options":{"queue":"nobody","task_id":"n"}}]})");
  chain.send();
  (void)chain.system.wait("first");
  EXPECT_TRUE(*persistence::TaskRepository(*chain.system.database)
                   .mark_finished("n", kSuccess, "1", "", now_unix()));
  chain.first.id = "second";
  chain.send();
  EXPECT_EQ(chain.waiting_after("second"), 2U) << "a Python worker would run it again";
}

TEST(WorkerFollow, WhoseEndNobodyWouldTellHasNoRow) {
  Chain chain(R"({"callbacks":[
      {"task":"python","options":{"queue":"nobody","task_id":"silent","ignore_result":true}},
      {"task":"next","options":{"queue":"nobody","task_id":"ours","ignore_result":true}},
      {"task":"python","options":{"queue":"nobody","task_id":"told"}}]})");
  chain.send();
  EXPECT_EQ(chain.waiting_after("first"), 3U);
  EXPECT_EQ(chain.row("silent").id, "");
  EXPECT_EQ(chain.row("ours").id, "ours");
  EXPECT_EQ(chain.row("told").id, "told");
}

}  // namespace
}  // namespace alphaswarm::tasks
