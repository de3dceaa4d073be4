#pragma once

// The base-2 exponential histogram of OpenTelemetry: bucket i holds (base^i, base^(i+1)] with
// base = 2^(2^-scale). The scale falls when the values no longer fit the buckets.
// https://opentelemetry.io/docs/specs/otel/metrics/data-model/#exponentialhistogram

#include <cstdint>
#include <vector>

#include "alphaswarm/observability/metrics/data.hpp"

namespace alphaswarm::observability::metrics {

inline constexpr std::int32_t kMaxScale = 20;
inline constexpr std::int32_t kMinScale = -10;

// The bucket of a positive, finite value.
[[nodiscard]] std::int32_t exponential_index(double value, std::int32_t scale) noexcept;

// Counts of a contiguous range of at most `size` buckets. Allocates when it is made only.
class ExponentialBuckets {
 public:
  explicit ExponentialBuckets(std::size_t size) : ring_(size) {}

  [[nodiscard]] bool empty() const noexcept { return empty_; }
  [[nodiscard]] std::int32_t low() const noexcept { return low_; }    // not if empty
  [[nodiscard]] std::int32_t high() const noexcept { return high_; }  // not if empty
  [[nodiscard]] std::uint64_t at(std::int32_t index) const noexcept { return ring_[place(index)]; }

  // How often the scale must fall for `low` to `high` to fit together with what is here.
  [[nodiscard]] std::int32_t needed_shift(std::int32_t low, std::int32_t high) const noexcept;
  void downscale(std::int32_t shift) noexcept;
  // The index must fit: see needed_shift().
  void add(std::int32_t index, std::uint64_t count) noexcept;
  void clear() noexcept;
  [[nodiscard]] ExponentialPoint::Buckets counts() const;

 private:
  [[nodiscard]] std::size_t place(std::int32_t index) const noexcept {
    const auto size = static_cast<std::int64_t>(ring_.size());
    return static_cast<std::size_t>((index % size + size) % size);
  }
  std::vector<std::uint64_t> ring_;
  std::int32_t low_ = 0;
  std::int32_t high_ = 0;
  bool empty_ = true;
};

class ExponentialHistogram {
 public:
  // At least two buckets, on each side of zero.
  explicit ExponentialHistogram(std::size_t max_buckets, std::int32_t max_scale = kMaxScale)
      : positive_(max_buckets), negative_(max_buckets), max_scale_(max_scale), scale_(max_scale) {}

  void add(double value) noexcept;  // finite
  void merge(const ExponentialHistogram& other) noexcept;
  // `keep_scale`: the next values are likely to spread as the former did.
  void clear(bool keep_scale) noexcept;

  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
  // Fills all but attributes, times and exemplars.
  void read(ExponentialPoint& point) const;

 private:
  void fall_to(std::int32_t scale) noexcept;
  void merge_side(ExponentialBuckets& mine, const ExponentialBuckets& theirs,
                  std::int32_t their_scale) noexcept;

  ExponentialBuckets positive_;
  ExponentialBuckets negative_;
  std::int32_t max_scale_;
  std::int32_t scale_;
  std::uint64_t zeros_ = 0;
  std::uint64_t count_ = 0;
  double sum_ = 0;
  double min_ = 0;
  double max_ = 0;
};

}  // namespace alphaswarm::observability::metrics
