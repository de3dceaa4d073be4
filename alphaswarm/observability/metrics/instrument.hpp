#pragma once

// An instrument and its series, as the provider collects them.

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "alphaswarm/observability/metrics/attribute_set.hpp"
#include "alphaswarm/observability/metrics/meter.hpp"
#include "alphaswarm/observability/metrics/series.hpp"
#include "alphaswarm/observability/sdk/own_process.hpp"

namespace alphaswarm::observability::metrics::detail {

// The attributes of the series that takes what goes beyond the bound.
[[nodiscard]] const AttributeSet& overflow_attributes();
// Counts a look-up that ended there.
void count_overflow() noexcept;

// What tells instruments of one meter apart, and what their points have in common.
struct Identity {
  std::string name;
  std::string description;
  std::string unit;
  Metric::Kind kind = Metric::Kind::sum;
  bool monotonic = false;
  bool observable = false;
  bool integer = false;
  Temporality temporality = Temporality::cumulative;
  std::vector<double> boundaries;

  [[nodiscard]] bool same_as(const Identity& other) const {
    return unit == other.unit && kind == other.kind && monotonic == other.monotonic &&
           observable == other.observable && integer == other.integer;
  }
};

struct Bounds {
  std::size_t max_series = 2'000;
  std::shared_ptr<std::atomic<std::uint64_t>> overflowed;  // shared: handles outlive the provider
  sdk::OwnProcess process;
};

class InstrumentBase {
 public:
  explicit InstrumentBase(Identity identity) : identity_(std::move(identity)) {}
  virtual ~InstrumentBase() = default;
  InstrumentBase(const InstrumentBase&) = delete;
  InstrumentBase& operator=(const InstrumentBase&) = delete;

  [[nodiscard]] const Identity& identity() const noexcept { return identity_; }
  // Adds the points of now; by one thread at a time.
  virtual void collect(Metric& out, UnixNanos now) = 0;

 protected:
  [[nodiscard]] bool delta() const noexcept { return identity_.temporality == Temporality::delta; }

 private:
  Identity identity_;
};

// How the points of a series are read; Total is what a cumulative one has added up so far.
template <class S>
struct SeriesReader;

template <class T>
struct SeriesReader<SumSeries<T>> {
  using Total = T;
  static Total make(const SeriesOptions&) { return T{}; }
  // False: nothing to report.
  static bool read(SumSeries<T>& series, Total& total, bool delta, NumberPoint& point) {
    const T change = series.drain();
    series.exemplars().drain(point.exemplars);
    total = delta ? change : total + change;
    point.value = total;
    return !delta || change != T{};
  }
  static auto& points(Metric& metric) { return metric.numbers; }
};

template <class T>
struct SeriesReader<GaugeSeries<T>> {
  using Total = T;
  static Total make(const SeriesOptions&) { return T{}; }
  static bool read(GaugeSeries<T>& series, Total&, bool, NumberPoint& point) {
    if (!series.is_set()) return false;
    series.exemplars().drain(point.exemplars);
    point.value = series.value();
    point.start = {};
    return true;
  }
  static auto& points(Metric& metric) { return metric.numbers; }
};

template <>
struct SeriesReader<HistogramSeries> {
  using Total = Buckets;
  static Total make(const SeriesOptions& options) {
    Buckets buckets;
    buckets.counts.resize(options.boundaries.size() + 1);
    return buckets;
  }
  static bool read(HistogramSeries& series, Total& total, bool delta, HistogramPoint& point) {
    if (delta) {
      Buckets nowhere;
      nowhere.counts.resize(total.counts.size());
      total.move_to(nowhere);
    }
    series.drain(total);
    series.drain_exemplars(point.exemplars);
    point.count = total.count;
    point.sum = total.sum;
    point.min = total.min;
    point.max = total.max;
    point.bucket_counts = total.counts;
    return total.count != 0;
  }
  static auto& points(Metric& metric) { return metric.histograms; }
};

template <>
struct SeriesReader<ExponentialSeries> {
  using Total = ExponentialHistogram;
  static Total make(const SeriesOptions& options) {
    return ExponentialHistogram(options.exponential_buckets, options.max_scale);
  }
  static bool read(ExponentialSeries& series, Total& total, bool delta, ExponentialPoint& point) {
    if (delta) total.clear(false);
    series.drain(total, !delta);
    series.drain_exemplars(point.exemplars);
    total.read(point);
    return total.count() != 0;
  }
  static auto& points(Metric& metric) { return metric.exponentials; }
};

template <class S>
class Instrument final : public InstrumentBase {
 public:
  Instrument(Identity identity, SeriesOptions options, Bounds bounds)
      : InstrumentBase(std::move(identity)),
        options_(std::move(options)),
        bounds_(std::move(bounds)) {}

  [[nodiscard]] std::shared_ptr<S> series(Attributes attributes) {
    // In the child of a fork nobody collects, and the lock may be a lost thread's.
    if (!bounds_.process.is_here()) return std::make_shared<S>(options_);
    AttributeSet set = canonical(attributes);
    {
      const std::shared_lock lock(mutex_);
      if (const auto found = entries_.find(set.bytes); found != entries_.end()) {
        return found->second->series;
      }
    }
    const std::scoped_lock lock(mutex_);
    if (!entries_.contains(set.bytes) && entries_.size() + 1 >= bounds_.max_series) {
      set = overflow_attributes();
      bounds_.overflowed->fetch_add(1, std::memory_order_relaxed);  // a statistic
      count_overflow();
    }
    std::unique_ptr<Entry>& entry = entries_[set.bytes];
    if (entry == nullptr) entry = std::make_unique<Entry>(options_);
    return entry->series;
  }

  void collect(Metric& out, UnixNanos now) override {
    using Reader = SeriesReader<S>;
    const std::scoped_lock lock(mutex_);
    for (auto at = entries_.begin(); at != entries_.end();) {
      Entry& entry = *at->second;
      typename std::remove_reference_t<decltype(Reader::points(out))>::value_type point;
      point.start = entry.start;
      point.time = now;
      // Before the read: with no other owner under the lock, nothing more can be recorded.
      const bool alone = entry.series.use_count() == 1;
      const bool any = Reader::read(*entry.series, entry.total, delta(), point);
      if (delta()) entry.start = now;
      if (any) {
        point.attributes.bytes = at->first;
        Reader::points(out).push_back(std::move(point));
      }
      // A delta series nobody uses makes room for another.
      at = delta() && !any && alone ? entries_.erase(at) : std::next(at);
    }
  }

 private:
  struct Entry {
    explicit Entry(const SeriesOptions& options)
        : series(std::make_shared<S>(options)),
          total(SeriesReader<S>::make(options)),
          start(now_unix()) {}
    std::shared_ptr<S> series;
    typename SeriesReader<S>::Total total;
    UnixNanos start;
  };
  SeriesOptions options_;
  Bounds bounds_;
  std::shared_mutex mutex_;
  std::unordered_map<std::string, std::unique_ptr<Entry>> entries_;  // by canonical attributes
};

// Read by callbacks.
class ObservableInstrument final : public InstrumentBase {
 public:
  ObservableInstrument(Identity identity, Bounds bounds)
      : InstrumentBase(std::move(identity)), bounds_(std::move(bounds)), start_(now_unix()) {}

  void add_callback(std::uint64_t id, Callback callback) {
    callbacks_.emplace_back(id, std::move(callback));
  }
  void remove_callback(std::uint64_t id) {
    std::erase_if(callbacks_, [&](const auto& each) { return each.first == id; });
  }
  // Calls see(callback) for each, e.g. with an Observer of this.
  template <class See>
  void for_each_callback(See see) {
    for (auto& [id, callback] : callbacks_) see(callback);
  }
  void observe(Number value, Attributes attributes);
  void collect(Metric& out, UnixNanos now) override;

 private:
  Bounds bounds_;
  UnixNanos start_;
  std::vector<std::pair<std::uint64_t, Callback>> callbacks_;  // guarded by the provider
  std::unordered_map<std::string, Number> now_;                // of the collection under way
  std::unordered_map<std::string, Number> before_;             // what deltas are taken from
};

template <class S>
std::shared_ptr<S> bind_to(Instrument<S>& instrument, Attributes attributes) {
  return instrument.series(attributes);
}

}  // namespace alphaswarm::observability::metrics::detail
