#include "alphaswarm/trading/broker/retry.hpp"

#include <gtest/gtest.h>

#include "alphaswarm/trading/broker/rate_limiter.hpp"

namespace alphaswarm::trading {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

TEST(Retry, WaitsGrowAndStayWithinTheBounds) {
  const RetryPolicy policy;
  EXPECT_EQ(backoff(policy, 1, 0.0), milliseconds(500));
  EXPECT_EQ(backoff(policy, 1, 0.5), milliseconds(750));
  EXPECT_EQ(backoff(policy, 2, 0.5), milliseconds(1250));
  for (int failures = 1; failures < 100; ++failures) {
    EXPECT_GE(backoff(policy, failures, 0.0), milliseconds(500));
    EXPECT_LE(backoff(policy, failures, 0.999999), seconds(10));
  }
  EXPECT_GT(backoff(policy, 30, 0.999999), seconds(9));
}

TEST(Retry, OnlyRefusalsOfTheMomentAreRetried) {
  for (const int status : {429, 502, 503, 504}) EXPECT_TRUE(is_retryable_status(status));
  for (const int status : {200, 400, 401, 403, 404, 422, 501}) {
    EXPECT_FALSE(is_retryable_status(status)) << status;
  }
}

TEST(Retry, RetryAfterIsSecondsOrADate) {
  const UnixNanos now{784111777LL * 1'000'000'000};  // Sun, 06 Nov 1994 08:49:37 GMT
  EXPECT_EQ(parse_retry_after("7", now), seconds(7));
  EXPECT_EQ(parse_retry_after(" 0 ", now), seconds(0));
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:49:40 GMT", now), seconds(3));
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:49:00 GMT", now), seconds(0));
  for (const char* bad : {"", "soon", "-1", "1.5", "Sun, 06 Nov 1994 08:49:37 UTC",
                          "Sun, 06 Foo 1994 08:49:37 GMT", "Sun, 99 Nov 1994 08:49:37 GMT"}) {
    EXPECT_EQ(parse_retry_after(bad, now), std::nullopt) << bad;
  }
}

TEST(Retry, DatesBeyondWhatNanosecondsReachAreFarOrPast) {
  const UnixNanos now{784111777LL * 1'000'000'000};
  const auto far = parse_retry_after("Fri, 31 Dec 9999 23:59:59 GMT", now);
  ASSERT_TRUE(far);
  EXPECT_GT(*far, std::chrono::hours(24 * 365));
  EXPECT_EQ(parse_retry_after("Sat, 01 Jan 0000 00:00:00 GMT", now), seconds(0));
}

TEST(RateLimiter, WithoutALimitNobodyWaits) {
  RateLimiter limiter({});
  for (int i = 0; i < 100; ++i) EXPECT_EQ(limiter.reserve(0), nanoseconds(0));
}

TEST(RateLimiter, ABurstGoesAtOnceThenAtTheRate) {
  RateLimiter limiter({.per_second = 10, .burst = 3});
  const std::int64_t start = 1'000'000'000'000;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(limiter.reserve(start), nanoseconds(0)) << i;
  EXPECT_EQ(limiter.reserve(start), milliseconds(100));
  EXPECT_EQ(limiter.reserve(start), milliseconds(200));
  EXPECT_EQ(limiter.reserve(start + 250'000'000), milliseconds(50));
}

TEST(RateLimiter, ALongPauseEarnsOneBurstOnly) {
  RateLimiter limiter({.per_second = 10, .burst = 2});
  EXPECT_EQ(limiter.reserve(0), nanoseconds(0));
  const std::int64_t later = 3'600'000'000'000;
  EXPECT_EQ(limiter.reserve(later), nanoseconds(0));
  EXPECT_EQ(limiter.reserve(later), nanoseconds(0));
  EXPECT_EQ(limiter.reserve(later), milliseconds(100));
}

}  // namespace
}  // namespace alphaswarm::trading
