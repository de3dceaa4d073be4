#include "alphaswarm/observability/metrics/exponential.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace alphaswarm::observability::metrics {

std::int32_t exponential_index(double value, std::int32_t scale) noexcept {
  int exponent = 0;
  const double fraction = std::frexp(value, &exponent);  // value = fraction * 2^exponent
  // A power of two is the inclusive upper end of its bucket, which logarithms may miss by a bit.
  const bool power = fraction == 0.5;
  if (scale <= 0) return (exponent - (power ? 2 : 1)) >> -scale;
  if (power)
    return static_cast<std::int32_t>((static_cast<std::int64_t>(exponent - 1) << scale) - 1);
  // fraction is in (0.5, 1), so that the bucket lies within the octave below 2^exponent.
  const std::int64_t octave = static_cast<std::int64_t>(exponent - 1) << scale;
  const std::int64_t size = std::int64_t{1} << scale;
  const auto within =
      static_cast<std::int64_t>(std::ceil(std::log2(fraction * 2) * static_cast<double>(size)) - 1);
  return static_cast<std::int32_t>(octave + std::clamp<std::int64_t>(within, 0, size - 1));
}

std::int32_t ExponentialBuckets::needed_shift(std::int32_t low, std::int32_t high) const noexcept {
  if (!empty_) {
    low = std::min(low, low_);
    high = std::max(high, high_);
  }
  std::int32_t shift = 0;
  while (static_cast<std::int64_t>(high) - low >= static_cast<std::int64_t>(ring_.size())) {
    low >>= 1;
    high >>= 1;
    ++shift;
  }
  return shift;
}

void ExponentialBuckets::downscale(std::int32_t shift) noexcept {
  if (empty_ || shift == 0) return;
  // From low to high every count moves to an index whose place is its own or already emptied:
  // the range only shrinks. A place that is read later in the walk must not be written early, so
  // the counts are first gathered at the front in order.
  std::rotate(ring_.begin(), ring_.begin() + static_cast<std::ptrdiff_t>(place(low_)), ring_.end());
  const std::int32_t new_low = low_ >> shift;
  const std::int32_t new_high = high_ >> shift;
  const std::int32_t used = high_ - low_;
  for (std::int32_t i = 0; i <= used; ++i) {
    const auto to = static_cast<std::size_t>(((low_ + i) >> shift) - new_low);
    const std::uint64_t count = std::exchange(ring_[static_cast<std::size_t>(i)], 0);
    ring_[to] += count;  // to <= i: what is there was moved already
  }
  low_ = new_low;
  high_ = new_high;
  std::rotate(ring_.begin(), ring_.end() - static_cast<std::ptrdiff_t>(place(low_)), ring_.end());
}

void ExponentialBuckets::add(std::int32_t index, std::uint64_t count) noexcept {
  if (empty_) {
    low_ = high_ = index;
    empty_ = false;
  }
  low_ = std::min(low_, index);
  high_ = std::max(high_, index);
  ring_[place(index)] += count;
}

void ExponentialBuckets::clear() noexcept {
  if (empty_) return;
  std::ranges::fill(ring_, 0);
  empty_ = true;
}

ExponentialPoint::Buckets ExponentialBuckets::counts() const {
  ExponentialPoint::Buckets out;
  if (empty_) return out;
  out.offset = low_;
  for (std::int32_t i = low_; i <= high_; ++i) out.counts.push_back(at(i));
  return out;
}

void ExponentialHistogram::fall_to(std::int32_t scale) noexcept {
  if (scale >= scale_) return;
  positive_.downscale(scale_ - scale);
  negative_.downscale(scale_ - scale);
  scale_ = scale;
}

void ExponentialHistogram::add(double value) noexcept {
  min_ = count_ == 0 ? value : std::min(min_, value);
  max_ = count_ == 0 ? value : std::max(max_, value);
  ++count_;
  sum_ += value;
  if (value == 0) {
    ++zeros_;
    return;
  }
  ExponentialBuckets& side = value > 0 ? positive_ : negative_;
  std::int32_t index = exponential_index(std::abs(value), scale_);
  if (const std::int32_t shift = side.needed_shift(index, index); shift != 0) {
    fall_to(scale_ - shift);
    index >>= shift;
  }
  side.add(index, 1);
}

void ExponentialHistogram::merge_side(ExponentialBuckets& mine, const ExponentialBuckets& theirs,
                                      std::int32_t their_scale) noexcept {
  if (theirs.empty()) return;
  std::int32_t shift = their_scale - scale_;  // not negative: merge() fell to theirs first
  if (const std::int32_t more = mine.needed_shift(theirs.low() >> shift, theirs.high() >> shift);
      more != 0) {
    fall_to(scale_ - more);
    shift += more;
  }
  for (std::int32_t i = theirs.low(); i <= theirs.high(); ++i) {
    if (const std::uint64_t count = theirs.at(i); count != 0) mine.add(i >> shift, count);
  }
}

void ExponentialHistogram::merge(const ExponentialHistogram& other) noexcept {
  if (other.count_ == 0) return;
  fall_to(other.scale_);
  merge_side(positive_, other.positive_, other.scale_);
  merge_side(negative_, other.negative_, other.scale_);
  min_ = count_ == 0 ? other.min_ : std::min(min_, other.min_);
  max_ = count_ == 0 ? other.max_ : std::max(max_, other.max_);
  count_ += other.count_;
  sum_ += other.sum_;
  zeros_ += other.zeros_;
}

void ExponentialHistogram::clear(bool keep_scale) noexcept {
  positive_.clear();
  negative_.clear();
  if (!keep_scale) scale_ = max_scale_;
  zeros_ = count_ = 0;
  sum_ = min_ = max_ = 0;
}

void ExponentialHistogram::read(ExponentialPoint& point) const {
  point.count = count_;
  point.sum = sum_;
  point.min = min_;
  point.max = max_;
  point.scale = scale_;
  point.zero_count = zeros_;
  point.positive = positive_.counts();
  point.negative = negative_.counts();
}

}  // namespace alphaswarm::observability::metrics
