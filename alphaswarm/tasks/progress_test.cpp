#include "alphaswarm/tasks/progress.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "alphaswarm/base/counters.hpp"
#include "alphaswarm/persistence/task_repository.hpp"
#include "alphaswarm/tasks/test_support.hpp"

namespace alphaswarm::tasks {
namespace {

namespace json = boost::json;
using test::System;
using testing::ElementsAre;

std::uint64_t failures() {
  return counter("alphaswarm_progress_publish_failures_total", "", "").value();
}

// Everything that goes through it fails, but subscriptions.
class AwayBus final : public Bus {
 public:
  net::task<Result<void>> publish(std::string, std::string) override { co_return away(); }
  net::task<Result<Subscription>> subscribe(std::string channel) override {
    return inner_->subscribe(std::move(channel));
  }
  net::task<Result<void>> set(std::string, std::string,
                              std::optional<std::chrono::seconds>) override {
    co_return away();
  }
  net::task<Result<std::optional<std::string>>> get(std::string) override { co_return away(); }
  net::task<Result<bool>> del(std::string) override { co_return away(); }

 private:
  static std::unexpected<Error> away() { return fail(ErrorCode::unavailable, "the bus is away"); }
  std::shared_ptr<Bus> inner_ = make_memory_bus();
};

class ProgressTest : public testing::Test {
 protected:
  template <class T>
  T run(net::task<T> work) {
    return net::block_on(system_.runtime, std::move(work));
  }
  std::string add_task() {
    persistence::TaskRow row;
    row.id = "task-" + std::to_string(next_++);
    EXPECT_TRUE(persistence::TaskRepository(*system_.database).insert(row));
    return row.id;
  }
  std::vector<std::string> stages(ProgressStream& stream) {
    std::vector<std::string> seen;
    while (auto text = run(stream.next())) {
      seen.emplace_back(json::parse(*text).at("stage").as_string());
    }
    return seen;
  }

  System system_;
  ProgressBus& progress_ = *system_.progress;
  int next_ = 0;
};

TEST_F(ProgressTest, AFrameHasItsShape) {
  const std::string id = add_task();
  auto stream = run(progress_.subscribe(id));
  ASSERT_TRUE(stream);
  json::object extras{{"bar", 7}, {"tags", {{"symbol", "AAPL.NASDAQ"}}}, {"task_id", "forged"}};
  run(progress_.emit(id, "running", "bar 7", extras));
  const auto text = run(stream->next());
  ASSERT_TRUE(text);
  const json::object frame = json::parse(*text).as_object();
  EXPECT_EQ(frame.at("task_id").as_string(), id);
  EXPECT_EQ(frame.at("stage"), "running");
  EXPECT_EQ(frame.at("message"), "bar 7");
  EXPECT_EQ(frame.at("bar"), 7);
  EXPECT_EQ(frame.at("tags").at("symbol"), "AAPL.NASDAQ");
  EXPECT_TRUE(frame.contains("traceparent"));
  EXPECT_NEAR(frame.at("timestamp").as_double(), now_unix().seconds(), 60);
}

TEST_F(ProgressTest, AStreamEndsWithTheTerminalFrame) {
  const std::string id = add_task();
  auto stream = run(progress_.subscribe(id));
  run(progress_.emit(id, "running", "1"));
  run(progress_.emit(id, "running", "2"));
  run(progress_.emit_done(id, {{"sharpe", 1.5}}));
  EXPECT_THAT(stages(*stream), ElementsAre("running", "running", "done"));
}

TEST_F(ProgressTest, ALateClientGetsTheTerminalFrameAlone) {
  for (const bool in_table : {true, false}) {
    const std::string id = in_table ? add_task() : "not in the table";
    run(progress_.emit(id, "running", "1"));
    run(progress_.emit_error(id, "the feed broke"));
    auto stream = run(progress_.subscribe(id));
    ASSERT_TRUE(stream);
    const auto text = run(stream->next());
    ASSERT_TRUE(text);
    EXPECT_EQ(json::parse(*text).at("stage"), "error");
    EXPECT_EQ(json::parse(*text).at("error"), "the feed broke");
    EXPECT_EQ(run(stream->next()), std::nullopt);
  }
}

TEST_F(ProgressTest, ATaskHasOneTerminalFrameAndNothingBehindIt) {
  const std::string id = add_task();
  auto raw = run(system_.bus->subscribe(task_channel(id)));
  ProgressBus another_process(system_.bus, system_.database);
  run(progress_.emit_done(id, 1));
  run(progress_.emit_error(id, "too late"));
  run(progress_.emit(id, "running", "too late"));
  run(another_process.emit_error(id, "too late as well"));
  EXPECT_EQ(json::parse(*run(raw->next())).at("stage"), "done");
  EXPECT_EQ(run(raw->next_for(std::chrono::nanoseconds(0))), std::nullopt);
  auto stream = run(progress_.subscribe(id));
  EXPECT_THAT(stages(*stream), ElementsAre("done"));
}

TEST_F(ProgressTest, OnlyTheTwoCallsEndATask) {
  const std::string id = add_task();
  const std::uint64_t before = failures();
  run(progress_.emit(id, "done", "not like this"));
  EXPECT_EQ(failures(), before + 1);
  run(progress_.emit_done(id, nullptr));
  auto stream = run(progress_.subscribe(id));
  EXPECT_THAT(stages(*stream), ElementsAre("done"));
}

TEST_F(ProgressTest, AFailedPublishIsCountedAndFailsNobody) {
  ProgressBus progress(std::make_shared<AwayBus>(), system_.database);
  const std::string id = add_task();
  const std::uint64_t before = failures();
  run(progress.emit(id, "running", "1"));
  run(progress.emit_done(id, 1));
  EXPECT_EQ(failures(), before + 2);
  // The terminal frame is in the table all the same.
  auto stream = run(progress_.subscribe(id));
  EXPECT_THAT(stages(*stream), ElementsAre("done"));
}

TEST_F(ProgressTest, LiveChannelsCarryWhatTheyAreGiven) {
  auto live = run(progress_.subscribe_live("prices"));
  ASSERT_TRUE(live);
  json::object payload{{"close", 101.5}};
  run(progress_.publish_live("prices", payload));
  EXPECT_EQ(json::parse(*run(live->next())).at("close"), 101.5);
}

}  // namespace
}  // namespace alphaswarm::tasks
