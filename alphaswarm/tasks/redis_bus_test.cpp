// Progress over a Redis that goes away in the middle.

#include "alphaswarm/tasks/redis_bus.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "alphaswarm/persistence/task_repository.hpp"
#include "alphaswarm/tasks/progress.hpp"
#include "tests/support/redis.hpp"

namespace alphaswarm::tasks {
namespace {

class RedisProgressTest : public ::testing::Test {
 protected:
  std::shared_ptr<Bus> make_bus() {
    auto config = *net::parse_redis_url(server_.url());
    config.command_timeout = std::chrono::milliseconds(500);
    auto client = std::make_shared<net::RedisClient>(runtime_, std::move(config));
    return make_redis_bus(client, client);
  }
  template <class T>
  T run(net::task<T> work) {
    return net::block_on(runtime_, std::move(work));
  }

  alphaswarm::testing::RedisServer server_;
  net::Runtime runtime_{"redis-progress", 2};
};

TEST_F(RedisProgressTest, TheTerminalFrameIsFoundAfterAnOutage) {
  auto database = *persistence::Database::open("sqlite://:memory:");
  ASSERT_TRUE(persistence::migrate(*database));
  persistence::TaskRow row;
  row.id = "t";
  ASSERT_TRUE(persistence::TaskRepository(*database).insert(row));
  ProgressBus progress(make_bus(), database);
  auto stream = run(progress.subscribe("t"));
  ASSERT_TRUE(stream) << stream.error().message;
  run(progress.emit("t", "work", "before"));
  EXPECT_EQ(boost::json::parse(*run(stream->next())).at("message").as_string(), "before");
  server_.kill();
  run(progress.emit("t", "work", "lost"));
  run(progress.emit_done("t", 42));  // kept, but heard by nobody
  server_.start();
  const auto last = run(stream->next());
  ASSERT_TRUE(last);
  EXPECT_EQ(boost::json::parse(*last).at("stage").as_string(), "done");
  EXPECT_FALSE(run(stream->next()));
}

TEST_F(RedisProgressTest, WithoutRedisEachCallSaysSo) {
  const auto bus = make_bus();
  server_.kill();
  EXPECT_EQ(run(bus->set("k", "v", std::nullopt)).error().code, ErrorCode::unavailable);
  EXPECT_EQ(run(bus->get("k")).error().code, ErrorCode::unavailable);
  EXPECT_EQ(run(bus->del("k")).error().code, ErrorCode::unavailable);
  EXPECT_EQ(run(bus->publish("c", "x")).error().code, ErrorCode::unavailable);
  EXPECT_EQ(run(bus->subscribe("c")).error().code, ErrorCode::unavailable);
}

}  // namespace
}  // namespace alphaswarm::tasks
