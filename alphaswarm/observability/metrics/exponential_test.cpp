#include "alphaswarm/observability/metrics/exponential.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <random>

namespace alphaswarm::observability::metrics {
namespace {

using testing::ElementsAre;

TEST(Exponential, PowersOfTwoEndTheirBucket) {
  for (std::int32_t scale = kMinScale; scale <= kMaxScale; ++scale) {
    for (int power = -1074; power <= 1023; ++power) {
      const double value = std::ldexp(1.0, power);
      const std::int64_t expected =
          scale > 0 ? (static_cast<std::int64_t>(power) << scale) - 1 : (power - 1) >> -scale;
      ASSERT_EQ(exponential_index(value, scale), expected) << power << " at " << scale;
      if (power > -1022 && power < 1022) {  // the next value begins the bucket above
        const double next = std::nextafter(value, INFINITY);
        if (scale > 0 || power % (1 << -scale) == 0) {
          ASSERT_EQ(exponential_index(next, scale), expected + 1) << power << " at " << scale;
        }
      }
    }
  }
}

TEST(Exponential, ValuesLieWithinTheirBucket) {
  std::mt19937_64 random(7);
  std::uniform_real_distribution<double> exponent(-300, 300);
  for (int i = 0; i < 50'000; ++i) {
    const double value = std::exp2(exponent(random));
    const auto scale = static_cast<std::int32_t>(random() % 31) - 10;
    const double at = std::log2(value) * std::exp2(scale);
    const double index = exponential_index(value, scale);
    // The logarithm here is rounded as well: an error of its last bits is allowed.
    ASSERT_GT(at, index - 1e-6 * std::abs(at) - 1e-6) << value << " at " << scale;
    ASSERT_LE(at, index + 1 + 1e-6 * std::abs(at) + 1e-6) << value << " at " << scale;
  }
}

// The same values counted one by one at the scale the histogram ended with.
void expect_same(const ExponentialHistogram& histogram, const std::vector<double>& values,
                 std::size_t max_buckets) {
  ExponentialPoint point;
  histogram.read(point);
  EXPECT_EQ(point.count, values.size());
  std::map<std::int32_t, std::uint64_t> expected;
  for (const double value : values) {
    if (value > 0) ++expected[exponential_index(value, point.scale)];
  }
  std::map<std::int32_t, std::uint64_t> found;
  for (std::size_t i = 0; i < point.positive.counts.size(); ++i) {
    if (point.positive.counts[i] != 0) {
      found[point.positive.offset + static_cast<std::int32_t>(i)] = point.positive.counts[i];
    }
  }
  EXPECT_EQ(found, expected);
  EXPECT_LE(point.positive.counts.size(), max_buckets);
}

TEST(Exponential, TheScaleFallsNoFurtherThanNeeded) {
  std::mt19937_64 random(11);
  for (int round = 0; round < 200; ++round) {
    const std::size_t size = 2 + random() % 40;
    std::uniform_real_distribution<double> exponent(-static_cast<double>(random() % 300 + 1),
                                                    static_cast<double>(random() % 300 + 1));
    ExponentialHistogram whole(size);
    ExponentialHistogram a(size);
    ExponentialHistogram b(size);
    std::vector<double> values;
    for (int i = 0; i < 200; ++i) {
      values.push_back(std::exp2(exponent(random)));
      whole.add(values.back());
      (i % 3 == 0 ? a : b).add(values.back());
    }
    expect_same(whole, values, size);
    a.merge(b);
    expect_same(a, values, size);
    ExponentialPoint point;
    ExponentialPoint merged;
    whole.read(point);
    a.read(merged);
    EXPECT_EQ(point.scale, merged.scale);
    if (point.scale < kMaxScale) {  // one finer would not fit
      std::int32_t low = INT32_MAX;
      std::int32_t high = INT32_MIN;
      for (const double value : values) {
        low = std::min(low, exponential_index(value, point.scale + 1));
        high = std::max(high, exponential_index(value, point.scale + 1));
      }
      EXPECT_GE(static_cast<std::size_t>(high - low) + 1, size + 1);
    }
  }
}

TEST(Exponential, ZerosAndBothSigns) {
  ExponentialHistogram histogram(160);
  for (const double value : {0.0, -0.0, 4.0, -2.0, -2.0}) histogram.add(value);
  histogram.add(std::numeric_limits<double>::max());
  histogram.add(std::numeric_limits<double>::denorm_min());
  ExponentialPoint point;
  histogram.read(point);
  EXPECT_EQ(point.count, 7U);
  EXPECT_EQ(point.zero_count, 2U);
  EXPECT_EQ(point.min, -2.0);
  EXPECT_THAT(point.negative.counts, ElementsAre(2));
  EXPECT_LT(point.scale, 0);
  histogram.clear(false);
  histogram.add(1);
  histogram.read(point);
  EXPECT_EQ(point.scale, kMaxScale);
  EXPECT_EQ(point.count, 1U);
}

}  // namespace
}  // namespace alphaswarm::observability::metrics
