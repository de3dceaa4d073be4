#include "alphaswarm/tasks/tracing.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "alphaswarm/observability/export/memory.hpp"
#include "alphaswarm/tasks/test_support.hpp"

#if ALPHASWARM_OTEL

namespace alphaswarm::tasks {
namespace {

namespace json = boost::json;
namespace otel = alphaswarm::observability;
using testing::AllOf;
using testing::Contains;
using testing::Pair;

// An API and a worker in one process, each with its own provider.
class TracingTest : public testing::Test {
 protected:
  TracingTest() : api_(make_provider("api")), worker_provider_(make_provider("worker")) {}

  std::unique_ptr<otel::TracerProvider> make_provider(const std::string& service) {
    otel::Config config;
    config.service_name = service;
    config.sink = sink_;
    config.on_full_wait = true;
    auto made = otel::TracerProvider::create(std::move(config));
    EXPECT_TRUE(made) << made.error().message;
    return std::move(*made);
  }
  void start_worker() {
    worker_ = system_.make_worker({.hostname = "celery@test", .provider = worker_provider_.get()});
    worker_->register_task("t", [](TaskContext& context) -> net::task<Result<json::value>> {
      co_await context.progress.emit(context.id, "running", "half way");
      co_return json::value(1);
    });
    worker_->register_task("fails", [](TaskContext&) -> net::task<Result<json::value>> {
      co_return fail(ErrorCode::invalid_argument, "no such strategy");
    });
    worker_->register_task("throws", [](TaskContext&) -> net::task<Result<json::value>> {
      throw std::runtime_error("broken");
      co_return json::value();
    });
    worker_->register_task("flaky",
                           [](TaskContext& context) -> net::task<Result<json::value>> {
                             if (context.retries == 0)
                               co_return fail(ErrorCode::unavailable, "not yet");
                             co_return json::value();
                           },
                           {.max_retries = 1,
                            .first_backoff = std::chrono::milliseconds(1),
                            .longest_backoff = std::chrono::milliseconds(1)});
    worker_->start();
  }
  net::task<std::string> request(std::string task) {
    otel::SpanOptions options;
    options.kind = otel::SpanKind::server;
    options.provider = api_.get();
    auto span = otel::span("POST /start", options);
    auto id = co_await system_.queue->apply_async(task, {}, {}, {.queue = "paper"});
    EXPECT_TRUE(id);
    co_return *id;
  }
  // Of one request, when all of it has ended.
  std::string run_one(const std::string& task) {
    start_worker();
    const std::string id = net::block_on(system_.runtime, request(task));
    (void)system_.wait(id);
    EXPECT_TRUE(worker_->stop(test::kLimit));
    flush();
    return id;
  }
  // The earliest of that name; they arrive in the order in which they end, on any thread.
  otel::FinishedSpan first(std::string_view name) {
    otel::FinishedSpan found;
    for (const otel::FinishedSpan& span : sink_->spans()) {
      if (span.name == name && (found.name.empty() || span.start_ns < found.start_ns)) found = span;
    }
    EXPECT_FALSE(found.name.empty()) << name;
    return found;
  }
  void flush() {
    EXPECT_TRUE(api_->force_flush());
    EXPECT_TRUE(worker_provider_->force_flush());
  }

  std::shared_ptr<otel::MemorySink> sink_ = std::make_shared<otel::MemorySink>();
  std::unique_ptr<otel::TracerProvider> api_;
  std::unique_ptr<otel::TracerProvider> worker_provider_;
  test::System system_;
  std::unique_ptr<Worker> worker_;
};

TEST_F(TracingTest, ATaskIsOneTraceAcrossTheQueue) {
  const std::string id = run_one("t");
  EXPECT_EQ(sink_->tree(),
            "POST /start\n"
            "  apply_async/t\n"
            "    run/t\n"
            "      ws.publish\n"
            "      ws.publish\n");
  const otel::FinishedSpan producer = first("apply_async/t");
  EXPECT_EQ(producer.service_name, "api");
  EXPECT_EQ(producer.kind, otel::SpanKind::producer);
  EXPECT_EQ(producer.attributes, (otel::TextAttributes{{"celery.action", "apply_async"},
                                                       {"celery.task_name", "t"},
                                                       {"messaging.system", "memory"},
                                                       {"messaging.operation.type", "send"},
                                                       {"messaging.destination.name", "paper"},
                                                       {"messaging.message.id", id}}));
  const otel::FinishedSpan consumer = first("run/t");
  EXPECT_EQ(consumer.service_name, "worker");
  EXPECT_EQ(consumer.kind, otel::SpanKind::consumer);
  EXPECT_EQ(consumer.status, otel::StatusCode::unset);
  EXPECT_EQ(consumer.attributes, (otel::TextAttributes{{"celery.action", "run"},
                                                       {"celery.task_name", "t"},
                                                       {"celery.state", "SUCCESS"},
                                                       {"celery.hostname", "celery@test"},
                                                       {"celery.retries", "0"},
                                                       {"messaging.operation.type", "process"},
                                                       {"messaging.destination.name", "paper"},
                                                       {"messaging.message.id", id}}));
  const otel::FinishedSpan publish = first("ws.publish");
  EXPECT_EQ(publish.service_name, "worker");
  EXPECT_EQ(publish.attributes, (otel::TextAttributes{{"alphaswarm.namespace", "task"},
                                                      {"alphaswarm.channel_id", id},
                                                      {"alphaswarm.payload_kind", "progress"}}));
}

TEST_F(TracingTest, AFailureIsAnErrorWithItsDescription) {
  run_one("fails");
  const otel::FinishedSpan consumer = first("run/fails");
  EXPECT_EQ(consumer.status, otel::StatusCode::error);
  EXPECT_EQ(consumer.status_message, "no such strategy");
  EXPECT_THAT(consumer.attributes, Contains(Pair("celery.state", "FAILURE")));
  EXPECT_TRUE(consumer.events.empty());
}

TEST_F(TracingTest, AnExceptionIsRecordedOnce) {
  run_one("throws");
  const otel::FinishedSpan consumer = first("run/throws");
  EXPECT_EQ(consumer.status, otel::StatusCode::error);
  EXPECT_EQ(consumer.status_message, "broken");
  ASSERT_EQ(consumer.events.size(), 1U);
  EXPECT_EQ(consumer.events[0].name, "exception");
  EXPECT_THAT(consumer.events[0].attributes, Contains(Pair("exception.message", "broken")));
}

TEST_F(TracingTest, ARetryIsAnEventAndASendOfTheRun) {
  run_one("flaky");
  EXPECT_EQ(sink_->tree(),
            "POST /start\n"
            "  apply_async/flaky\n"
            "    run/flaky\n"
            "      apply_async/flaky\n"
            "        run/flaky\n"
            "          ws.publish\n");
  const otel::FinishedSpan attempt = first("run/flaky");
  EXPECT_EQ(attempt.status, otel::StatusCode::unset);
  EXPECT_THAT(attempt.attributes, Contains(Pair("celery.state", "RETRY")));
  ASSERT_EQ(attempt.events.size(), 1U);
  EXPECT_THAT(attempt.events[0].attributes, Contains(Pair("celery.retry.reason", "not yet")));
}

TEST_F(TracingTest, ATaskOfAnUntracedClientIsATraceOfItsOwn) {
  start_worker();
  const std::string id = system_.apply("t");
  (void)system_.wait(id);
  EXPECT_TRUE(worker_->stop(test::kLimit));
  flush();
  EXPECT_EQ(sink_->tree(), "run/t\n  ws.publish\n  ws.publish\n");
}

net::task<void> watch(ProgressBus& progress, std::string id, otel::TracerProvider* provider,
                      net::AsyncEvent& subscribed) {
  otel::SpanOptions options;
  options.kind = otel::SpanKind::server;
  options.provider = provider;
  auto span = otel::span("GET /chat/stream/{task_id}", options);
  auto stream = co_await progress.subscribe(id);
  EXPECT_TRUE(stream);
  subscribed.set();
  while (co_await stream->next()) {
  }
}

net::task<void> publish_some(ProgressBus& progress, std::string id, otel::TracerProvider* provider,
                             net::AsyncEvent& subscribed) {
  EXPECT_TRUE(co_await subscribed.wait_for(test::kLimit));
  otel::SpanOptions options;
  options.provider = provider;
  auto span = otel::span("task", options);
  co_await progress.emit(id, "running", "1");
  co_await progress.emit_done(id, 1);
}

net::task<void> watch_and_publish(ProgressBus& progress, std::string id, otel::TracerProvider* api,
                                  otel::TracerProvider* worker) {
  net::AsyncEvent subscribed;
  co_await net::all(watch(progress, id, api, subscribed),
                    publish_some(progress, id, worker, subscribed));
}

TEST_F(TracingTest, ASubscriptionIsATraceOfItsOwnLinkedToTheTasks) {
  net::block_on(system_.runtime,
                watch_and_publish(*system_.progress, "id", api_.get(), worker_provider_.get()));
  flush();
  const otel::FinishedSpan subscription = first("ws.asubscribe");
  EXPECT_EQ(subscription.service_name, "api");
  EXPECT_FALSE(subscription.parent_id.is_valid());
  EXPECT_NE(subscription.trace_id, first("GET /chat/stream/{task_id}").trace_id);
  EXPECT_THAT(subscription.attributes,
              AllOf(Contains(Pair("alphaswarm.namespace", "task")),
                    Contains(Pair("alphaswarm.channel_id", "id")),
                    Contains(Pair("alphaswarm.payload_kind", "progress"))));
  ASSERT_EQ(subscription.events.size(), 1U);
  EXPECT_EQ(subscription.events[0].name, "ws.first_message");
  ASSERT_EQ(subscription.links.size(), 1U);
  EXPECT_EQ(subscription.links[0].trace_id, first("task").trace_id);
  EXPECT_EQ(subscription.links[0].span_id, first("ws.publish").span_id);
}

// A bus that has gone away.
class AwayBus final : public Bus {
 public:
  net::task<Result<void>> publish(std::string, std::string) override {
    co_return fail(ErrorCode::unavailable, "the bus is away");
  }
  net::task<Result<Subscription>> subscribe(std::string) override {
    co_return fail(ErrorCode::unavailable, "the bus is away");
  }
  net::task<Result<void>> set(std::string, std::string,
                              std::optional<std::chrono::seconds>) override {
    co_return fail(ErrorCode::unavailable, "the bus is away");
  }
  net::task<Result<std::optional<std::string>>> get(std::string) override {
    co_return fail(ErrorCode::unavailable, "the bus is away");
  }
  net::task<Result<bool>> del(std::string) override {
    co_return fail(ErrorCode::unavailable, "the bus is away");
  }
};

TEST_F(TracingTest, AFailedPublishStandsOnItsSpan) {
  ProgressBus progress(std::make_shared<AwayBus>(), nullptr);
  api_->install_as_default();
  net::block_on(system_.runtime, progress.emit("id", "running", "1"));
  const auto stream = net::block_on(system_.runtime, progress.subscribe("id"));
  EXPECT_FALSE(stream);
  flush();
  for (const char* name : {"ws.publish", "ws.asubscribe"}) {
    const otel::FinishedSpan span = first(name);
    EXPECT_EQ(span.status, otel::StatusCode::error) << name;
    EXPECT_EQ(span.status_message, "the bus is away") << name;
  }
}

}  // namespace
}  // namespace alphaswarm::tasks

#endif
