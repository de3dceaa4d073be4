#pragma once

// What one instrument accumulates for one set of attributes. Measurements go to shards, one of
// which a thread prefers, so that threads do not meet on a cache line; a collection drains them.

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "alphaswarm/observability/metrics/exemplars.hpp"
#include "alphaswarm/observability/metrics/exponential.hpp"

namespace alphaswarm::observability::metrics::detail {

// A power of two, from the number of processors, at most 16.
[[nodiscard]] unsigned shard_count() noexcept;
// Numbers threads in the order of their first measurement; never 0.
[[nodiscard]] unsigned new_thread_number() noexcept;
inline thread_local constinit unsigned thread_number = 0;
[[nodiscard]] inline unsigned this_thread_number() noexcept {
  if (thread_number == 0) [[unlikely]] {
    thread_number = new_thread_number();
  }
  return thread_number;
}

// What every series of an instrument is made from.
struct SeriesOptions {
  ExemplarFilter filter = ExemplarFilter::trace_based;
  std::vector<double> boundaries{};     // of an explicit histogram, ascending
  std::size_t exponential_buckets = 0;  // not 0: an exponential histogram
  std::int32_t max_scale = kMaxScale;
};

// A sum, monotonic or not. T is std::int64_t or double.
template <class T>
class SumSeries {
 public:
  explicit SumSeries(const SeriesOptions& options)
      : filter_(options.filter), mask_(shard_count() - 1), shards_(new Shard[shard_count()]) {}

  void record(T value) noexcept {
    shards_[this_thread_number() & mask_].value.fetch_add(value, std::memory_order_relaxed);
    if (wants_exemplar(filter_)) exemplars_.offer(value);
  }
  // What was added since the last call.
  [[nodiscard]] T drain() noexcept {
    T sum{};
    for (unsigned i = 0; i <= mask_; ++i) {
      sum += shards_[i].value.exchange(T{}, std::memory_order_relaxed);
    }
    return sum;
  }
  Reservoir& exemplars() noexcept { return exemplars_; }

 private:
  struct alignas(64) Shard {
    std::atomic<T> value{};  // a statistic: orders nothing
  };
  ExemplarFilter filter_;
  unsigned mask_;
  std::unique_ptr<Shard[]> shards_;
  Reservoir exemplars_{1};
};

// The last value set.
template <class T>
class GaugeSeries {
 public:
  explicit GaugeSeries(const SeriesOptions& options) : filter_(options.filter) {}

  void record(T value) noexcept {
    value_.store(value, std::memory_order_relaxed);
    set_.store(true, std::memory_order_release);  // with is_set()
    if (wants_exemplar(filter_)) exemplars_.offer(value);
  }
  [[nodiscard]] bool is_set() const noexcept { return set_.load(std::memory_order_acquire); }
  [[nodiscard]] T value() const noexcept { return value_.load(std::memory_order_relaxed); }
  Reservoir& exemplars() noexcept { return exemplars_; }

 private:
  ExemplarFilter filter_;
  std::atomic<T> value_{};
  std::atomic<bool> set_{false};
  Reservoir exemplars_{1};
};

// Takes the first free of the shards, beginning with the thread's own, and holds it.
template <class Shard>
class [[nodiscard]] ShardHold {
 public:
  ShardHold(Shard* shards, unsigned mask) noexcept : shard_(take(shards, mask)) {}
  ~ShardHold() { shard_->busy.store(false, std::memory_order_release); }
  ShardHold(const ShardHold&) = delete;
  ShardHold& operator=(const ShardHold&) = delete;
  Shard* operator->() const noexcept { return shard_; }

 private:
  static Shard* take(Shard* shards, unsigned mask) noexcept {
    for (unsigned at = this_thread_number();; ++at) {
      Shard& shard = shards[at & mask];
      if (!shard.busy.exchange(true, std::memory_order_acquire)) return &shard;  // with the dtor
    }
  }
  Shard* shard_;
};

struct Buckets {
  std::vector<std::uint64_t> counts;
  std::uint64_t count = 0;
  double sum = 0;
  double min = 0;
  double max = 0;

  void add(double value, std::size_t bucket) noexcept {
    ++counts[bucket];
    min = count == 0 ? value : std::min(min, value);
    max = count == 0 ? value : std::max(max, value);
    ++count;
    sum += value;
  }
  void move_to(Buckets& other) noexcept;  // adds to it, and empties this
};

// Explicit boundaries: bucket i holds (boundary i-1, boundary i]. An example for each bucket.
class HistogramSeries {
 public:
  explicit HistogramSeries(const SeriesOptions& options);

  void record(double value) noexcept;
  void drain(Buckets& into) noexcept;
  void drain_exemplars(std::vector<Exemplar>& out);

 private:
  struct alignas(64) Shard {
    std::atomic<bool> busy{false};  // guards the rest
    Buckets buckets;
  };
  ExemplarFilter filter_;
  std::vector<double> boundaries_;
  unsigned mask_;
  std::unique_ptr<Shard[]> shards_;
  std::vector<std::unique_ptr<Reservoir>> exemplars_;
};

class ExponentialSeries {
 public:
  explicit ExponentialSeries(const SeriesOptions& options);

  void record(double value) noexcept;
  void drain(ExponentialHistogram& into, bool keep_scale) noexcept;
  void drain_exemplars(std::vector<Exemplar>& out) { exemplars_.drain(out); }

 private:
  struct alignas(64) Shard {
    std::atomic<bool> busy{false};  // guards the rest
    std::unique_ptr<ExponentialHistogram> histogram;
  };
  ExemplarFilter filter_;
  unsigned mask_;
  std::unique_ptr<Shard[]> shards_;
  Reservoir exemplars_;
};

}  // namespace alphaswarm::observability::metrics::detail
