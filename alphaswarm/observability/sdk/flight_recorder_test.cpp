#include "alphaswarm/observability/sdk/flight_recorder.hpp"

#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "alphaswarm/base/time.hpp"
#include "alphaswarm/observability/api/provider.hpp"
#include "alphaswarm/observability/export/memory.hpp"
#include "alphaswarm/observability/tracing.hpp"

#if ALPHASWARM_OTEL

namespace alphaswarm::observability {
namespace {

class Told final : public TriggerListener {
 public:
  void triggered(const TraceId& trace, std::string_view reason) override {
    const std::scoped_lock lock(mutex_);
    reasons_.emplace_back(reason);
    traces_.insert(trace);
  }
  [[nodiscard]] std::vector<std::string> reasons() {
    const std::scoped_lock lock(mutex_);
    return reasons_;
  }
  [[nodiscard]] bool knows(const TraceId& trace) {
    const std::scoped_lock lock(mutex_);
    return traces_.contains(trace);
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> reasons_;
  std::set<TraceId> traces_;
};

class FlightRecorderTest : public ::testing::Test {
 protected:
  void start(Config config) {
    config.service_name = "desk";
    config.sink = memory_;
    config.on_trigger = told_;
    if (config.flight_recorder_bytes == 0) config.flight_recorder_bytes = 1U << 20U;
    auto made = TracerProvider::create(std::move(config));
    ASSERT_TRUE(made.has_value()) << made.error().message;
    provider_ = std::move(*made);
  }
  Span root(std::string_view name) { return span(name, {.provider = provider_.get()}); }
  std::string tree() {
    EXPECT_TRUE(provider_->force_flush());
    return memory_->tree();
  }
  std::shared_ptr<MemorySink> memory_ = std::make_shared<MemorySink>();
  std::shared_ptr<Told> told_ = std::make_shared<Told>();
  std::unique_ptr<TracerProvider> provider_;
};

TEST_F(FlightRecorderTest, AnErrorBringsItsWholeTrace) {
  start({.sample_ratio = 0.0});
  {
    const auto fine = root("fine");
    const auto child = span("child of fine");
  }
  TraceId trace;
  {
    auto order = root("order");
    trace = order.context().trace_id;
    EXPECT_FALSE(order.context().sampled());
    {
      const auto check = span("check");
    }
    EXPECT_EQ(tree(), "");  // kept, not exported
    {
      auto send = span("send");
      send.error("refused");
    }
    EXPECT_EQ(tree(), "check\nsend\n");
    const auto after = span("after");
  }
  EXPECT_EQ(tree(), "order\n  check\n  send\n  after\n");
  EXPECT_EQ(memory_->find("order").flags & SpanContext::kSampled, 0U);
  EXPECT_EQ(told_->reasons(), std::vector<std::string>{"error"});
  EXPECT_TRUE(told_->knows(trace));
  const Stats stats = provider_->stats();
  EXPECT_EQ(stats.not_sampled, 6U);
  EXPECT_EQ(stats.started, 0U);
  EXPECT_EQ(stats.recorder.exported, 4U);
  EXPECT_EQ(stats.recorder.kept, 6U);
  EXPECT_EQ(stats.recorder.triggers, 1U);
  EXPECT_GT(stats.recorder.retained_seconds, 0.0);
}

TEST_F(FlightRecorderTest, ASlowSpanAndAWordDoSoToo) {
  start({.sample_ratio = 0.0, .flight_recorder_latency_ms = 50});
  const auto now = now_unix();
  {
    auto slow = root("slow");
    const auto child = span("child");
  }
  {
    const SpanOptions options{.start_time = now, .provider = provider_.get()};
    auto late = span("late", options);
    {
      const auto child = span("waits");
    }
    late.end(UnixNanos{now.value + 50'000'000});
  }
  {
    const auto asked = root("asked");
    trigger("odd fill");
  }
  trigger("nothing is current");
  EXPECT_EQ(tree(), "late\n  waits\nasked\n  trigger\n");
  EXPECT_EQ(told_->reasons(), (std::vector<std::string>{"latency", "odd fill"}));
}

TEST_F(FlightRecorderTest, AnotherProcessMayAsk) {
  start({.sample_ratio = 0.0});
  const auto order = root("order");
  {
    const auto first = span("first");
  }
  EXPECT_EQ(tree(), "");
  provider_->trigger(order.context().trace_id);
  provider_->trigger(TraceId::random());
  EXPECT_EQ(tree(), "first\n");
  {
    const auto second = span("second");
  }
  EXPECT_EQ(tree(), "first\nsecond\n");
  EXPECT_TRUE(told_->reasons().empty());
}

TEST_F(FlightRecorderTest, SampledTracesAreNotItsBusiness) {
  start({.sample_ratio = 1.0});
  {
    auto order = root("order");
    order.error("refused");
  }
  EXPECT_EQ(tree(), "order\n");
  EXPECT_EQ(provider_->stats().exported, 1U);
  EXPECT_EQ(provider_->stats().recorder.kept, 0U);
  EXPECT_TRUE(told_->reasons().empty());
}

TEST_F(FlightRecorderTest, IsBoundedAndTheOldestGo) {
  start({.sample_ratio = 0.0, .flight_recorder_bytes = 20'000, .max_batch_bytes = 2'048});
  const auto first = root("first");
  for (int i = 0; i < 1'000; ++i) const auto filler = root("filler");
  EXPECT_EQ(tree(), "");
  const Stats stats = provider_->stats();
  EXPECT_EQ(stats.recorder.kept + stats.recorder.overwritten, 1'000U);
  EXPECT_GT(stats.recorder.overwritten, 500U);
  EXPECT_GT(stats.recorder.kept, 20U);
}

TEST_F(FlightRecorderTest, ManyThreadsAndATraceAcrossThem) {
  start({.sample_ratio = 0.0, .flight_recorder_bytes = 16U << 20U});
  {
    auto order = root("order");
    const SpanContext parent = order.context();
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < 500; ++i) {
          const auto other = root("other");
          auto part = span("part", {.parent = &parent, .provider = provider_.get()});
          if (t == 0 && i == 250) part.error("refused");
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
  EXPECT_TRUE(provider_->shutdown());
  const auto spans = memory_->spans();
  std::set<SpanId> ids;
  for (const FinishedSpan& one : spans) ids.insert(one.span_id);
  EXPECT_EQ(spans.size(), 2'001U);
  EXPECT_EQ(ids.size(), spans.size());
  EXPECT_EQ(provider_->stats().recorder.dropped, 0U);
}

TEST_F(FlightRecorderTest, ExportsOpenSpansOfATriggeredTraceAtShutdown) {
  start({.sample_ratio = 0.0});
  const auto order = root("order");
  trigger("odd");
  EXPECT_TRUE(provider_->shutdown());
  EXPECT_EQ(memory_->tree(), "order\n  trigger\n");
  EXPECT_EQ(memory_->find("order").attributes.at("alphaswarm.span.open"), "true");
}

}  // namespace
}  // namespace alphaswarm::observability

#endif
