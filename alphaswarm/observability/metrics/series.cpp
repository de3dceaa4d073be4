#include "alphaswarm/observability/metrics/series.hpp"

#include <bit>
#include <cmath>
#include <thread>

namespace alphaswarm::observability::metrics::detail {

unsigned shard_count() noexcept {
  static const unsigned kCount =
      std::bit_ceil(std::clamp(std::thread::hardware_concurrency(), 1U, 16U));
  return kCount;
}

unsigned new_thread_number() noexcept {
  static std::atomic<unsigned> last{0};
  const unsigned number = last.fetch_add(1, std::memory_order_relaxed) + 1;
  return number != 0 ? number : 1;
}

void Buckets::move_to(Buckets& other) noexcept {
  if (count == 0) return;
  for (std::size_t i = 0; i < counts.size(); ++i) other.counts[i] += counts[i];
  other.min = other.count == 0 ? min : std::min(other.min, min);
  other.max = other.count == 0 ? max : std::max(other.max, max);
  other.count += count;
  other.sum += sum;
  std::ranges::fill(counts, 0);
  count = 0;
  sum = min = max = 0;
}

HistogramSeries::HistogramSeries(const SeriesOptions& options)
    : filter_(options.filter),
      boundaries_(options.boundaries),
      mask_(shard_count() - 1),
      shards_(new Shard[shard_count()]) {
  const std::size_t buckets = boundaries_.size() + 1;
  for (unsigned i = 0; i <= mask_; ++i) shards_[i].buckets.counts.resize(buckets);
  for (std::size_t i = 0; i < buckets; ++i) exemplars_.push_back(std::make_unique<Reservoir>(1));
}

void HistogramSeries::record(double value) noexcept {
  if (!std::isfinite(value)) return;
  const auto bucket =
      static_cast<std::size_t>(std::ranges::lower_bound(boundaries_, value) - boundaries_.begin());
  {
    const ShardHold<Shard> shard(shards_.get(), mask_);
    shard->buckets.add(value, bucket);
  }
  if (wants_exemplar(filter_)) exemplars_[bucket]->offer(value);
}

void HistogramSeries::drain(Buckets& into) noexcept {
  for (unsigned i = 0; i <= mask_; ++i) {
    const ShardHold<Shard> shard(&shards_[i], 0);
    shard->buckets.move_to(into);
  }
}

void HistogramSeries::drain_exemplars(std::vector<Exemplar>& out) {
  for (const auto& reservoir : exemplars_) reservoir->drain(out);
}

ExponentialSeries::ExponentialSeries(const SeriesOptions& options)
    : filter_(options.filter),
      mask_(shard_count() - 1),
      shards_(new Shard[shard_count()]),
      exemplars_(std::min<std::size_t>(options.exponential_buckets, 20)) {
  for (unsigned i = 0; i <= mask_; ++i) {
    shards_[i].histogram =
        std::make_unique<ExponentialHistogram>(options.exponential_buckets, options.max_scale);
  }
}

void ExponentialSeries::record(double value) noexcept {
  if (!std::isfinite(value)) return;
  {
    const ShardHold<Shard> shard(shards_.get(), mask_);
    shard->histogram->add(value);
  }
  if (wants_exemplar(filter_)) exemplars_.offer(value);
}

void ExponentialSeries::drain(ExponentialHistogram& into, bool keep_scale) noexcept {
  for (unsigned i = 0; i <= mask_; ++i) {
    const ShardHold<Shard> shard(&shards_[i], 0);
    into.merge(*shard->histogram);
    shard->histogram->clear(keep_scale);
  }
}

}  // namespace alphaswarm::observability::metrics::detail
