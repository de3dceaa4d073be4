#include "alphaswarm/observability/api/propagation.hpp"

#include <gtest/gtest.h>

#include "alphaswarm/observability/sdk/sampler.hpp"

#if ALPHASWARM_OTEL

namespace alphaswarm::observability {
namespace {

constexpr const char* kGood = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

TEST(Traceparent, ReadsAndWritesTheSame) {
  const auto context = extract_traceparent(kGood);
  ASSERT_TRUE(context.has_value());
  EXPECT_TRUE(context->remote);
  EXPECT_TRUE(context->sampled());
  EXPECT_EQ(to_traceparent(*context), kGood);
  EXPECT_EQ(to_traceresponse(*context), kGood);
  EXPECT_EQ(to_tracestate(*context), "");
  EXPECT_EQ(to_traceparent({}), "");
}

TEST(Traceparent, KeepsTheRandomFlagAndDropsUnknownOnes) {
  const std::string base(kGood, 53);
  EXPECT_EQ(to_traceparent(*extract_traceparent(base + "03")), base + "03");
  EXPECT_EQ(to_traceparent(*extract_traceparent(base + "ff")), base + "03");
  EXPECT_FALSE(extract_traceparent(base + "00")->sampled());
}

TEST(Traceparent, IsStrict) {
  const std::string good(kGood);
  const std::string bad[] = {
      "",
      "00",
      good.substr(0, 54),
      good + "-extra",  // not in version 00
      good + "0",
      "ff" + good.substr(2),  // forbidden version
      "0x" + good.substr(2),
      "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",  // upper case
      "00-00000000000000000000000000000000-b7ad6b7169203331-01",  // zero trace id
      "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",  // zero span id
      "00-0af7651916cd43dd8448eb211c80319g-b7ad6b7169203331-01",
      "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
      "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0g",
      "01" + good.substr(2) + "extra",  // later versions need a dash
  };
  for (const std::string& text : bad) {
    EXPECT_FALSE(extract_traceparent(text).has_value()) << text;
  }
  EXPECT_TRUE(extract_traceparent("01" + good.substr(2) + "-extra").has_value());
  EXPECT_TRUE(extract_traceparent(" " + good + "\t").has_value());
}

std::string kept(std::string_view tracestate) {
  return to_tracestate(*extract_traceparent(kGood, tracestate));
}

TEST(Tracestate, IsKeptInOrder) {
  EXPECT_EQ(kept("a=1,b=2"), "a=1,b=2");
  EXPECT_EQ(kept("  a=1 ,, tenant@vendor=x y "), "a=1,tenant@vendor=x y");
  EXPECT_EQ(kept("ot=th:c8"), "ot=th:c8");
}

TEST(Tracestate, MalformedIsDroppedAloneAndTheTraceGoesOn) {
  for (const char* text : {"novalue", "=1", "A=1", "a=1,a=2", "a=", "a=1\x01", "a=b=c"}) {
    EXPECT_EQ(kept(text), "") << text;
  }
  std::string many;
  for (int i = 0; i < 33; ++i) many += (i == 0 ? "k" : ",k") + std::to_string(i) + "=1";
  EXPECT_EQ(kept(many), "");
}

TEST(Tracestate, IsBoundedLongMembersGoFirst) {
  const std::string long_member = "long=" + std::string(200, 'x');
  std::string text = long_member;
  for (int i = 0; i < 25; ++i) text += ",key" + std::to_string(i) + "=" + std::string(12, 'v');
  const std::string result = kept(text);
  EXPECT_LE(result.size(), 512U);
  EXPECT_EQ(result.find("long="), std::string::npos);
  EXPECT_TRUE(result.starts_with("key0="));
}

TEST(Tracestate, OldOnesAreForgottenAndReadAsEmpty) {
  const auto first = extract_traceparent(kGood, "first=1");
  ASSERT_EQ(to_tracestate(*first), "first=1");
  for (int i = 0; i < 100'000; ++i) {
    const auto other = extract_traceparent(kGood, "other=" + std::to_string(i));
    ASSERT_EQ(to_tracestate(*other), "other=" + std::to_string(i));
  }
  EXPECT_EQ(to_tracestate(*first), "");
}

TraceId with_low_bits(std::uint64_t low) {
  TraceId id = TraceId::random();
  for (int i = 0; i < 7; ++i) {
    id.bytes[static_cast<std::size_t>(15 - i)] = static_cast<std::uint8_t>(low >> (8 * i));
  }
  return id;
}

TEST(RatioSampler, KeepsIdsAtOrAboveTheThreshold) {
  const RatioSampler quarter(0.25);
  EXPECT_EQ(quarter.threshold_text(), "c");
  EXPECT_TRUE(quarter.keeps(with_low_bits(0xc0000000000000)));
  EXPECT_FALSE(quarter.keeps(with_low_bits(0xbfffffffffffff)));
  EXPECT_TRUE(RatioSampler(1.0).keeps(with_low_bits(0)));
  EXPECT_FALSE(RatioSampler(0.0).keeps(with_low_bits(0xffffffffffffff)));
  // Values of the specification's table of thresholds.
  EXPECT_EQ(RatioSampler(0.5).threshold_text(), "8");
  EXPECT_EQ(RatioSampler(0.001).threshold(), (std::uint64_t{1} << 56) - 72057594037928);
  EXPECT_EQ(RatioSampler(1.0).kept_state(), TraceState{});
}

TEST(RatioSampler, KeepsItsShareOfRandomIds) {
  const RatioSampler tenth(0.1);
  int kept_count = 0;
  for (int i = 0; i < 100'000; ++i) kept_count += tenth.keeps(TraceId::random()) ? 1 : 0;
  EXPECT_NEAR(kept_count, 10'000, 500);  // five standard deviations
}

}  // namespace
}  // namespace alphaswarm::observability

#endif
