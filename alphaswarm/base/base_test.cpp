#include <gtest/gtest.h>

#include <set>

#include "alphaswarm/base/decimal.hpp"
#include "alphaswarm/base/ids.hpp"
#include "alphaswarm/base/random.hpp"
#include "alphaswarm/base/task_local.hpp"
#include "alphaswarm/base/thread.hpp"
#include "alphaswarm/base/time.hpp"

namespace alphaswarm {
namespace {

TEST(Ids, HexRoundTripsAndAcceptsMissingZeros) {
  const TraceId id = TraceId::random();
  EXPECT_EQ(TraceId::from_hex(id.to_hex()), id);
  EXPECT_EQ(TraceId::from_hex("1f")->to_hex(), "0000000000000000000000000000001f");
  EXPECT_FALSE(TraceId::from_hex("xyz"));
  EXPECT_FALSE(TraceId::from_hex(""));
  EXPECT_FALSE(SpanId::from_hex("00112233445566778"));
}

TEST(Ids, RandomIdsDiffer) {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(random_uuid());
  EXPECT_EQ(seen.size(), 1000U);
  EXPECT_EQ(seen.begin()->size(), 36U);
}

TEST(Time, Rfc3339RoundTripsNanoseconds) {
  const auto time = from_rfc3339("2026-11-22T14:03:11.284112903Z");
  ASSERT_TRUE(time);
  EXPECT_EQ(to_rfc3339(*time), "2026-11-22T14:03:11.284112903Z");
  EXPECT_EQ(from_rfc3339("2026-11-22T16:03:11.284112903+02:00"), time);
  EXPECT_EQ(from_rfc3339("1970-01-02")->value, 86'400'000'000'000);
  EXPECT_EQ(to_rfc3339({-1}), "1969-12-31T23:59:59.999999999Z");
  for (const char* far : {"0001-01-01", "1600-01-01", "2300-01-01", "9999-12-31T23:59:59Z"}) {
    EXPECT_FALSE(from_rfc3339(far)) << far << " does not fit nanoseconds";
  }
  EXPECT_TRUE(from_rfc3339("2261-12-31T23:59:59.999999999Z"));
  EXPECT_TRUE(from_rfc3339("1678-01-01"));
  for (const char* bad : {"", "2026-13-01", "2025-02-29", "2026-11-22T25:00:00Z", "yesterday",
                          "2026-11-22T14:03:11", "2026-11-22T14:03:11.Z"}) {
    EXPECT_FALSE(from_rfc3339(bad)) << bad;
  }
}

TEST(Decimals, ParseAndPrintExactly) {
  for (const char* text : {"0", "12.5", "-0.00000001", "92233720368.54775807", "100"}) {
    EXPECT_EQ(Decimal::parse(text)->to_string(), text);
  }
  EXPECT_EQ(Decimal::parse("1e3")->to_string(), "1000");
  EXPECT_EQ(Decimal::parse("1.5e-3")->to_string(), "0.0015");
  EXPECT_EQ(Decimal::parse("1.100000000000")->to_string(), "1.1");
  for (const char* bad : {"", "-", ".", "1.2.3", "1e", "abc", "0.000000001", "1e30", "nan"}) {
    EXPECT_FALSE(Decimal::parse(bad)) << bad;
  }
}

TEST(Decimals, ArithmeticRoundsHalfAwayFromZero) {
  const Decimal third = Decimal::from_integer(1) / Decimal::from_integer(3);
  EXPECT_EQ(third.to_string(), "0.33333333");
  EXPECT_EQ((Decimal::from_integer(-2) / Decimal::from_integer(3)).to_string(), "-0.66666667");
  EXPECT_EQ((*Decimal::parse("0.1") + *Decimal::parse("0.2")).to_string(), "0.3");
  EXPECT_EQ(Decimal::parse("-1.5")->floor().to_string(), "-2");
  EXPECT_EQ(Decimal::parse("2.345")->rounded(2).to_string(), "2.35");
  EXPECT_EQ(Decimal::from_double(0.1).to_string(), "0.1");
}

TEST(TaskLocal, ScopesNestAndThreadsAreApart) {
  TaskSlot* const own = &current_task_slot();
  TaskSlot slot;
  {
    const TaskSlotScope scope(&slot);
    EXPECT_EQ(&current_task_slot(), &slot);
    const std::jthread other = start_thread(
        "other", [&](const std::stop_token&) { EXPECT_NE(&current_task_slot(), &slot); });
  }
  EXPECT_EQ(&current_task_slot(), own);
}

TEST(Randoms, UniformStaysInRange) {
  Random random(42);
  for (int i = 0; i < 1000; ++i) {
    const double value = random.uniform();
    EXPECT_TRUE(value >= 0 && value < 1);
    EXPECT_LT(random.below(7), 7U);
  }
}

}  // namespace
}  // namespace alphaswarm
