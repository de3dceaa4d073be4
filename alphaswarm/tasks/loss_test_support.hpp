#pragma once

// For tests of a Redis that fails: the parts of a task system on a real one, which the test kills.

#include <gtest/gtest.h>

#include <boost/json/value.hpp>
#include <map>
#include <memory>
#include <mutex>
#include <source_location>
#include <string>

#include "alphaswarm/tasks/redis_broker.hpp"
#include "alphaswarm/tasks/redis_bus.hpp"
#include "alphaswarm/tasks/test_support.hpp"
#include "alphaswarm/tasks/unfinished.hpp"
#include "tests/support/redis.hpp"

namespace alphaswarm::tasks::test {

class LossTest : public ::testing::Test {
 protected:
  LossTest() {
    auto config = *net::parse_redis_url(server_.url());
    config.command_timeout = 400ms;
    config.backoff_max = 100ms;
    client_ = std::make_shared<net::RedisClient>(system_.runtime, config);
    system_.bus = make_redis_bus(client_, client_);
    system_.broker = make_redis_broker(system_.runtime, client_,
                                       {.visibility_timeout = 3'600s, .restore_interval = 1'000s});
    system_.progress = std::make_shared<ProgressBus>(system_.bus, system_.database);
    system_.queue = std::make_unique<TaskQueue>(system_.broker, system_.bus, system_.database);
  }
  ~LossTest() override { watch_stop_.request_stop(); }

  void watch(std::chrono::milliseconds grace) {
    net::spawn(system_.runtime, watch_stop_,
               watch_for_loss(system_.broker, system_.database,
                              {.look_every = 50ms, .grace = grace, .settled = 300ms}));
    wait_until([&] { return server_.cli({"GET", "alphaswarm:broker:whole"}) == "yes\n"; });
  }
  std::unique_ptr<Worker> start_worker(const std::string& name, unsigned concurrency = 4) {
    return start_worker({.concurrency = concurrency, .hostname = name});
  }
  std::unique_ptr<Worker> start_worker(WorkerConfig config) {
    auto worker = system_.make_worker(std::move(config));
    worker->register_task("t",
                          [this](TaskContext& context) -> net::task<Result<boost::json::value>> {
                            note_run(context.id);
                            co_return boost::json::value(context.id);
                          });
    worker->register_task("held",
                          [this](TaskContext& context) -> net::task<Result<boost::json::value>> {
                            note_run(context.id);
                            (void)co_await release_.wait_for(kLimit);
                            co_return boost::json::value("released");
                          });
    worker->start();
    return worker;
  }
  void note_run(const std::string& id) {
    const std::scoped_lock lock(mutex_);
    ++runs_[id];
  }
  int runs(const std::string& id) {
    const std::scoped_lock lock(mutex_);
    return runs_[id];
  }
  template <class Condition>
  static void wait_until(Condition condition,
                         std::source_location where = std::source_location::current()) {
    const std::int64_t deadline = monotonic_ns() + std::chrono::nanoseconds(kLimit).count();
    while (!condition()) ASSERT_LT(monotonic_ns(), deadline) << "in line " << where.line();
  }
  std::string stored(const std::string& id) { return server_.cli({"GET", result_key(id)}); }

  bool is_awaited(const std::string& id) {
    return server_.cli({"PUBSUB", "NUMSUB", result_key(id)}).find("\n1\n") != std::string::npos;
  }

  alphaswarm::testing::RedisServer server_;
  std::mutex mutex_;
  std::map<std::string, int> runs_;  // guarded by mutex_
  net::AsyncEvent release_;
  System system_;
  std::shared_ptr<net::RedisClient> client_;
  std::stop_source watch_stop_;
};

}  // namespace alphaswarm::tasks::test
