#pragma once

// For this module's tests: the parts of a task system within one process.

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "alphaswarm/persistence/database.hpp"
#include "alphaswarm/tasks/queue.hpp"
#include "alphaswarm/tasks/worker.hpp"

namespace alphaswarm::tasks::test {

using namespace std::chrono_literals;

inline constexpr auto kLimit = 20s;  // how long a test waits for what must happen

struct System {
  explicit System(unsigned threads = 2) : runtime("tasks-test", threads) {
    auto opened = persistence::Database::open("sqlite://:memory:");
    EXPECT_TRUE(opened);
    database = *opened;
    EXPECT_TRUE(persistence::migrate(*database));
    progress = std::make_shared<ProgressBus>(bus, database);
    queue = std::make_unique<TaskQueue>(broker, bus, database);
  }
  ~System() { runtime.stop(); }
  System(const System&) = delete;
  System& operator=(const System&) = delete;

  [[nodiscard]] std::unique_ptr<Worker> make_worker(WorkerConfig config = {}) {
    return std::make_unique<Worker>(runtime, broker, bus, database, progress, std::move(config));
  }
  [[nodiscard]] std::string apply(const std::string& name, boost::json::array args = {},
                                  ApplyOptions options = {}) {
    auto id = net::block_on(runtime, queue->apply_async(name, std::move(args), {}, options));
    EXPECT_TRUE(id) << id.error().message;
    return id ? *id : std::string();
  }
  [[nodiscard]] TaskResult wait(const std::string& id) {
    auto result = net::block_on(runtime, queue->wait(id, kLimit));
    EXPECT_TRUE(result) << result.error().message;
    return result ? std::move(*result) : TaskResult{};
  }

  [[nodiscard]] std::size_t waiting(std::string name) {
    return net::block_on(runtime, broker->waiting(std::move(name))).value_or(SIZE_MAX);
  }
  [[nodiscard]] std::size_t unacknowledged() {
    return net::block_on(runtime, broker->unacknowledged()).value_or(SIZE_MAX);
  }

  net::Runtime runtime;
  std::shared_ptr<Broker> broker = make_memory_broker();
  std::shared_ptr<Bus> bus = make_memory_bus();
  std::shared_ptr<persistence::Database> database;
  std::shared_ptr<ProgressBus> progress;
  std::unique_ptr<TaskQueue> queue;
};

}  // namespace alphaswarm::tasks::test
