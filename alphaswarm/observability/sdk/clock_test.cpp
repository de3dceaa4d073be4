// Clocks that jump: spans keep their durations, and none ends before it starts.

#include "alphaswarm/observability/sdk/clock.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "alphaswarm/observability/api/provider.hpp"
#include "alphaswarm/observability/export/memory.hpp"
#include "alphaswarm/observability/tracing.hpp"

#if ALPHASWARM_OTEL

namespace alphaswarm::observability {
namespace {

std::atomic<std::int64_t> wall_offset{0};

constexpr sdk::TimeSource kMovable{
    []() noexcept { return UnixNanos{now_unix().value + wall_offset.load()}; },
    []() noexcept { return monotonic_ns(); }};

constexpr std::int64_t kHour = 3'600'000'000'000;
constexpr std::int64_t kMs = 1'000'000;

// Both clocks of spans: true is the time-stamp counter.
class ClockTest : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
#if !defined(__x86_64__)
    if (GetParam()) GTEST_SKIP() << "no time-stamp counter";
#endif
    wall_offset = 0;
    sdk::prepare_clock();
    before_ = sdk::detail::process_calibration;
    counter_before_ = sdk::detail::use_counter;
    // Nobody traces between tests.
    sdk::detail::use_counter = GetParam();
    clock_ = std::make_unique<sdk::Calibration>(kMovable);
    sdk::detail::process_calibration = clock_.get();
    auto made = TracerProvider::create({.sink = memory_});
    provider_ = std::move(*made);
    // A calibration corrects itself after a tenth of a second at the earliest.
    std::this_thread::sleep_for(std::chrono::milliseconds(110));
  }
  void TearDown() override {
    if (clock_ == nullptr) return;
    provider_.reset();
    sdk::detail::process_calibration = before_;
    sdk::detail::use_counter = counter_before_;
  }
  void jump(std::int64_t by) {
    wall_offset += by;
    clock_->recalibrate();
  }
  Span start(std::string_view name) { return span(name, {.provider = provider_.get()}); }
  FinishedSpan finished(std::string_view name) {
    EXPECT_TRUE(provider_->force_flush());
    return memory_->find(name);
  }
  // From the start by the wall clock of then, and as long as it took.
  static void expect_sane(const FinishedSpan& one, std::int64_t begin, std::int64_t took) {
    EXPECT_GE(one.end_ns, one.start_ns) << one.name;
    const auto duration = static_cast<std::int64_t>(one.end_ns - one.start_ns);
    EXPECT_NEAR(static_cast<double>(duration), static_cast<double>(took),
                static_cast<double>(took / 20 + kMs))
        << one.name;
    EXPECT_NEAR(static_cast<double>(static_cast<std::int64_t>(one.start_ns) - begin), 0.0,
                100.0 * kMs)
        << one.name;
  }

  std::shared_ptr<MemorySink> memory_ = std::make_shared<MemorySink>();
  std::unique_ptr<sdk::Calibration> clock_;
  std::unique_ptr<TracerProvider> provider_;
  sdk::Calibration* before_ = nullptr;
  bool counter_before_ = false;
};

INSTANTIATE_TEST_SUITE_P(Both, ClockTest, ::testing::Bool(), [](const auto& info) {
  return info.param ? std::string("Counter") : std::string("ClockGettime");
});

TEST_P(ClockTest, JumpingBackAndForthKeepsDurations) {
  const std::int64_t begin = now_unix().value;
  const std::int64_t begin_monotonic = monotonic_ns();
  Span across = start("across");
  across.event("before");
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  jump(-kHour);
  across.event("after");
  const std::int64_t second_begin = now_unix().value - kHour;
  const std::int64_t second_monotonic = monotonic_ns();
  Span after = start("after");
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  jump(2 * kHour);
  after.end();
  const std::int64_t second_took = monotonic_ns() - second_monotonic;
  across.end();
  const std::int64_t took = monotonic_ns() - begin_monotonic;
  const FinishedSpan first = finished("across");
  expect_sane(first, begin, took);
  expect_sane(finished("after"), second_begin, second_took);
  ASSERT_EQ(first.events.size(), 2U);
  EXPECT_LE(first.start_ns, first.events[0].time_ns);
  EXPECT_LE(first.events[0].time_ns, first.events[1].time_ns);
  EXPECT_LE(first.events[1].time_ns, first.end_ns);
}

// Its end is read from the wall clock, as its start was.
TEST_P(ClockTest, AGivenStartIsNeverPassed) {
  const std::int64_t begin = now_unix().value;
  Span given = span("given", {.start_time = {begin}, .provider = provider_.get()});
  jump(-kHour);
  given.end();
  const FinishedSpan one = finished("given");
  EXPECT_EQ(one.start_ns, static_cast<std::uint64_t>(begin));
  EXPECT_EQ(one.end_ns, one.start_ns);
  Span early = start("early");
  early.end({begin - 2 * kHour});
  EXPECT_EQ(finished("early").end_ns, finished("early").start_ns);
}

TEST_P(ClockTest, AnOpenSpanThatAShutdownClosesIsNotNegative) {
  Span open = start("open");
  jump(-kHour);
  ASSERT_TRUE(provider_->shutdown());
  const FinishedSpan one = memory_->find("open");
  EXPECT_GE(one.end_ns, one.start_ns);
  EXPECT_LT(one.end_ns - one.start_ns, static_cast<std::uint64_t>(kHour));
  open.end();
}

// Below a millisecond the clock is not set but led there: time never runs backwards meanwhile.
TEST_P(ClockTest, SmallErrorsAreWorkedOffWithoutAStep) {
  std::int64_t last = 0;
  for (int round = 0; round < 6; ++round) {
    jump(round % 2 == 0 ? -300'000 : 250'000);
    const std::int64_t until = monotonic_ns() + 5 * kMs;
    while (monotonic_ns() < until) {
      const std::int64_t now = clock_->unix_ns(sdk::ticks());
      ASSERT_GE(now, last);
      last = now;
    }
  }
  const std::int64_t earliest = now_unix().value;
  last = clock_->unix_ns(sdk::ticks());
  EXPECT_GE(last, earliest - kMs);
  EXPECT_LE(last, now_unix().value + kMs);
}

}  // namespace
}  // namespace alphaswarm::observability

#endif
