// The task rows of the instrumentation map, one table, over both brokers: names, kinds, attributes,
// statuses and events, exactly.

#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>

#include "alphaswarm/base/ids.hpp"
#include "alphaswarm/observability/export/memory.hpp"
#include "alphaswarm/tasks/redis_broker.hpp"
#include "alphaswarm/tasks/redis_bus.hpp"
#include "alphaswarm/tasks/test_support.hpp"
#include "alphaswarm/tasks/tracing.hpp"
#include "tests/support/redis.hpp"

#if ALPHASWARM_OTEL

namespace alphaswarm::tasks {
namespace {

namespace json = boost::json;
namespace otel = alphaswarm::observability;
using otel::StatusCode;
using otel::TextAttributes;

class TaskMap : public ::testing::TestWithParam<std::string> {
 protected:
  TaskMap() {
    otel::Config config;
    config.service_name = "map";
    config.sink = sink_;
    config.on_full_wait = true;
    provider_ = std::move(*otel::TracerProvider::create(std::move(config)));
    provider_->install_as_default();
    if (GetParam() == "redis") {
      server_ = std::make_unique<testing::RedisServer>();
      const auto client = std::make_shared<net::RedisClient>(system_.runtime,
                                                             *net::parse_redis_url(server_->url()));
      system_.bus = make_redis_bus(client, client);
      system_.broker = make_redis_broker(system_.runtime, client);
      system_.progress = std::make_shared<ProgressBus>(system_.bus, system_.database);
      system_.queue = std::make_unique<TaskQueue>(system_.broker, system_.bus, system_.database);
    }
    worker_ = system_.make_worker({.hostname = "celery@map", .provider = provider_.get()});
    const auto add = [&](const char* name, TaskFunction function, TaskOptions options = {}) {
      worker_->register_task(name, std::move(function), options);
    };
    using Reply = net::task<Result<json::value>>;
    add("good", [](TaskContext&) -> Reply { co_return json::value(1); });
    add("bad", [](TaskContext&) -> Reply {
      co_return fail(ErrorCode::invalid_argument, "no such strategy");
    });
    add("throws", [](TaskContext&) -> Reply {
      throw std::runtime_error("broken");
      co_return json::value();
    });
    add("flaky",
        [](TaskContext& context) -> Reply {
          if (context.retries == 0) co_return fail(ErrorCode::unavailable, "not yet");
          co_return json::value();
        },
        {.max_retries = 1,
         .first_backoff = std::chrono::milliseconds(1),
         .longest_backoff = std::chrono::milliseconds(1)});
    worker_->start();
  }
  // Those of that name, in the order in which they began.
  std::vector<otel::FinishedSpan> spans(const std::string& name) {
    EXPECT_TRUE(provider_->force_flush());
    std::vector<otel::FinishedSpan> found;
    for (const otel::FinishedSpan& span : sink_->spans()) {
      if (span.name == name) found.push_back(span);
    }
    std::ranges::sort(found, {}, &otel::FinishedSpan::start_ns);
    return found;
  }
  TextAttributes producer(const std::string& task, const std::string& id) const {
    return {{"celery.action", "apply_async"},        {"celery.task_name", task},
            {"messaging.system", GetParam()},        {"messaging.operation.type", "send"},
            {"messaging.destination.name", "paper"}, {"messaging.message.id", id}};
  }
  static TextAttributes consumer(const std::string& task, const std::string& id,
                                 const std::string& state, const std::string& retries) {
    return {{"celery.action", "run"},
            {"celery.task_name", task},
            {"celery.state", state},
            {"celery.hostname", "celery@map"},
            {"celery.retries", retries},
            {"messaging.operation.type", "process"},
            {"messaging.destination.name", "paper"},
            {"messaging.message.id", id}};
  }

  std::shared_ptr<otel::MemorySink> sink_ = std::make_shared<otel::MemorySink>();
  std::unique_ptr<otel::TracerProvider> provider_;
  std::unique_ptr<testing::RedisServer> server_;
  test::System system_;
  std::unique_ptr<Worker> worker_;
};
INSTANTIATE_TEST_SUITE_P(Each, TaskMap, ::testing::Values("memory", "redis"),
                         [](const auto& one) { return one.param; });

struct Event {
  std::string name;
  std::string key;
  std::string value;
};
struct Try {
  std::string state;
  StatusCode status = StatusCode::unset;
  std::string description{};
  std::vector<Event> events{};
};
struct Row {
  std::string task;
  std::vector<Try> runs;
  bool expired = false;
  bool revoked = false;
};

TEST_P(TaskMap, Rows) {
  const std::string unknown = "task 'unknown' is not known to this worker";
  const Row table[] = {
      {"good", {{"SUCCESS"}}},
      {"bad", {{"FAILURE", StatusCode::error, "no such strategy"}}},
      {"throws",
       {{"FAILURE", StatusCode::error, "broken", {{"exception", "exception.message", "broken"}}}}},
      {"unknown", {{"FAILURE", StatusCode::error, unknown}}},
      {"flaky",
       {{"RETRY", StatusCode::unset, "", {{"retry", "celery.retry.reason", "not yet"}}},
        {"SUCCESS"}}},
      {"good", {{"REVOKED"}}, true, false},
      {"good", {{"REVOKED"}}, false, true},
  };
  for (const Row& row : table) {
    SCOPED_TRACE(row.task + (row.expired ? " expired" : row.revoked ? " revoked" : ""));
    sink_->clear();
    ApplyOptions options;
    options.queue = "paper";
    if (row.expired) options.expires = UnixNanos{1};
    options.task_id = random_uuid();
    const std::string id = options.task_id;
    if (row.revoked) worker_->revoke(id, false);
    EXPECT_EQ(system_.apply(row.task, {}, options), id);
    (void)system_.wait(id);
    const std::int64_t deadline = monotonic_ns() + std::chrono::nanoseconds(test::kLimit).count();
    while (system_.unacknowledged() > 0) ASSERT_LT(monotonic_ns(), deadline);
    // The span of a run ends after its message was acknowledged.
    auto runs = spans("run/" + row.task);
    while (runs.size() < row.runs.size() && monotonic_ns() < deadline) {
      runs = spans("run/" + row.task);
    }
    const auto sends = spans("apply_async/" + row.task);
    ASSERT_EQ(sends.size(), row.runs.size());
    ASSERT_EQ(runs.size(), row.runs.size());
    for (std::size_t i = 0; i < runs.size(); ++i) {
      EXPECT_EQ(sends[i].kind, otel::SpanKind::producer);
      EXPECT_EQ(sends[i].attributes, producer(row.task, id));
      EXPECT_EQ(sends[i].status, StatusCode::unset);
      // A retry is sent by the try before it.
      if (i > 0) EXPECT_EQ(sends[i].parent_id, runs[i - 1].span_id);
      const Try& wanted = row.runs[i];
      EXPECT_EQ(runs[i].kind, otel::SpanKind::consumer);
      EXPECT_EQ(runs[i].parent_id, sends[i].span_id);
      EXPECT_EQ(runs[i].attributes, consumer(row.task, id, wanted.state, std::to_string(i)));
      EXPECT_EQ(runs[i].status, wanted.status);
      EXPECT_EQ(runs[i].status_message, wanted.description);
      ASSERT_EQ(runs[i].events.size(), wanted.events.size());
      for (std::size_t e = 0; e < wanted.events.size(); ++e) {
        EXPECT_EQ(runs[i].events[e].name, wanted.events[e].name);
        EXPECT_EQ(runs[i].events[e].attributes.at(wanted.events[e].key), wanted.events[e].value);
      }
    }
  }
  EXPECT_TRUE(worker_->stop(test::kLimit));
}

TEST_P(TaskMap, ASendThatFailsIsAnError) {
  EXPECT_TRUE(worker_->stop(test::kLimit));
  sink_->clear();
  ApplyOptions options;
  options.queue = "paper";
  options.task_id = "id";
  if (GetParam() == "memory") {
    const auto small = make_memory_broker({.max_messages = 0});
    const auto consumer = small->register_consumer({"paper"});
    TaskQueue full(small, system_.bus, system_.database);
    EXPECT_FALSE(net::block_on(system_.runtime, full.apply_async("good", {}, {}, options)));
  } else {
    server_->kill();
    EXPECT_FALSE(
        net::block_on(system_.runtime, system_.queue->apply_async("good", {}, {}, options)));
  }
  const auto sends = spans("apply_async/good");
  ASSERT_EQ(sends.size(), 1U);
  EXPECT_EQ(sends[0].attributes, producer("good", "id"));
  EXPECT_EQ(sends[0].status, StatusCode::error);
  EXPECT_FALSE(sends[0].status_message.empty());
}

}  // namespace
}  // namespace alphaswarm::tasks

#endif
