#pragma once

// Metrics: counters, gauges and histograms that cost some nanoseconds, exported as OTLP.
//
//   auto metrics = metrics::MeterProvider::create({.receiver = {.endpoint =
//   "http://127.0.0.1:4317"}}); metrics::Meter meter = (*metrics)->meter("shop"); auto orders =
//   meter.counter<std::int64_t>("orders", {.unit = "{order}"}); orders.add(1, {{"venue", "sim"}});
//   auto sim = orders.bind({{"venue", "sim"}});   // for hot loops: no look-up
//   sim.add(1);
//
// Every call is thread-safe. Handles stay usable after their provider is gone; what they record
// then goes nowhere. Measurements never throw. Those of bound handles make no system call and
// allocate nothing; the others look their attributes up first, which allocates.

#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "alphaswarm/base/error.hpp"
#include "alphaswarm/observability/api/attribute.hpp"
#include "alphaswarm/observability/export/signal_exporter.hpp"
#include "alphaswarm/observability/metrics/data.hpp"
#include "alphaswarm/observability/metrics/exemplars.hpp"

namespace alphaswarm::config {
class Environment;
}

namespace alphaswarm::observability::metrics {

// Which points are changes since the last export. Up-down counters and gauges never are.
enum class TemporalityPreference : std::uint8_t {
  cumulative,  // none
  delta,       // counters, observable counters, histograms
  low_memory,  // counters, histograms
};

enum class HistogramKind : std::uint8_t { standard, explicit_buckets, exponential };

struct MetricsConfig {
  std::string service_name = "unknown_service";
  std::vector<std::pair<std::string, std::string>> resource{};
  ReceiverConfig receiver{};
  bool console = false;  // also print each point to standard error
  TemporalityPreference temporality = TemporalityPreference::cumulative;
  ExemplarFilter exemplars = ExemplarFilter::trace_based;
  HistogramKind histogram = HistogramKind::explicit_buckets;  // of those that do not say
  std::int64_t interval_ms = 60'000;                          // between exports
  std::int64_t export_timeout_ms = 30'000;  // of one; the receiver's own timeout holds as well
  std::int64_t shutdown_timeout_ms = 5'000;
  // Attribute sets of an instrument. Further ones count in one more series with the attribute
  // `otel.metric.overflow`, which is one of these, and in `alphaswarm_metric_overflow_total`.
  std::uint32_t max_series = 2'000;
};

struct InstrumentOptions {
  std::string unit{};  // UCUM, e.g. "s", "By", "{order}"
  std::string description{};
};

struct HistogramOptions {
  std::string unit{};
  std::string description{};
  HistogramKind kind = HistogramKind::standard;  // standard: what the provider is set to
  // Ascending; empty: OpenTelemetry's 0, 5, 10, 25, … 10000.
  std::vector<double> boundaries{};
  std::uint32_t max_buckets = 160;  // of an exponential one, on each side of zero; at least 2
  std::int32_t max_scale = kMaxScaleDefault;

  static constexpr std::int32_t kMaxScaleDefault = 20;
};

namespace detail {

class ProviderState;
template <class T>
class SumSeries;
template <class T>
class GaugeSeries;
class HistogramSeries;
class ExponentialSeries;
template <class S>
class Instrument;

// How a measurement reaches its series; defined where the series are.
void record(SumSeries<std::int64_t>& series, std::int64_t value) noexcept;
void record(SumSeries<double>& series, double value) noexcept;
void record(GaugeSeries<std::int64_t>& series, std::int64_t value) noexcept;
void record(GaugeSeries<double>& series, double value) noexcept;

// Looks the attributes up, then records.
template <class S, class T>
void record_with(Instrument<S>& instrument, T value, Attributes attributes) noexcept;
template <class S>
[[nodiscard]] std::shared_ptr<S> bind_to(Instrument<S>& instrument, Attributes attributes);

// A handle to an instrument, and one to a series of it.
template <class S, class T, bool kMonotonic>
class BoundHandle {
 public:
  explicit BoundHandle(std::shared_ptr<S> series) noexcept : series_(std::move(series)) {}
  void add(T value = 1) const noexcept {
    if constexpr (kMonotonic) {
      if (value < 0) return;
    }
    detail::record(*series_, value);
  }

 private:
  std::shared_ptr<S> series_;  // shared: outlives the provider
};

template <class S, class T, bool kMonotonic>
class SumHandle {
 public:
  using Bound = BoundHandle<S, T, kMonotonic>;
  explicit SumHandle(std::shared_ptr<Instrument<S>> instrument) noexcept
      : instrument_(std::move(instrument)) {}

  void add(T value, Attributes attributes = {}) const noexcept {
    if constexpr (kMonotonic) {
      if (value < 0) return;
    }
    record_with<S, T>(*instrument_, value, attributes);
  }
  [[nodiscard]] Bound bind(Attributes attributes = {}) const {
    return Bound(bind_to<S>(*instrument_, attributes));
  }

 private:
  std::shared_ptr<Instrument<S>> instrument_;  // shared: outlives the provider
};

template <class T>
concept Measured = std::same_as<T, std::int64_t> || std::same_as<T, double>;

}  // namespace detail

// Counts up: values below zero are ignored. bind(…) gives a handle to one set of attributes.
template <detail::Measured T>
using Counter = detail::SumHandle<detail::SumSeries<T>, T, true>;
template <detail::Measured T>
using BoundCounter = typename Counter<T>::Bound;

// Counts up and down, e.g. what is open.
template <detail::Measured T>
using UpDownCounter = detail::SumHandle<detail::SumSeries<T>, T, false>;
template <detail::Measured T>
using BoundUpDownCounter = typename UpDownCounter<T>::Bound;

// The last value set.
template <detail::Measured T>
class BoundGauge {
 public:
  explicit BoundGauge(std::shared_ptr<detail::GaugeSeries<T>> series) noexcept
      : series_(std::move(series)) {}
  void set(T value) const noexcept { detail::record(*series_, value); }

 private:
  std::shared_ptr<detail::GaugeSeries<T>> series_;
};

template <detail::Measured T>
class Gauge {
 public:
  using Series = detail::GaugeSeries<T>;
  explicit Gauge(std::shared_ptr<detail::Instrument<Series>> instrument) noexcept
      : instrument_(std::move(instrument)) {}
  void set(T value, Attributes attributes = {}) const noexcept {
    detail::record_with<Series, T>(*instrument_, value, attributes);
  }
  [[nodiscard]] BoundGauge<T> bind(Attributes attributes = {}) const {
    return BoundGauge<T>(detail::bind_to<Series>(*instrument_, attributes));
  }

 private:
  std::shared_ptr<detail::Instrument<Series>> instrument_;
};

// A distribution. Values that are not finite are ignored.
class BoundHistogram {
 public:
  void record(double value) const noexcept;

 private:
  friend class Histogram;
  std::shared_ptr<detail::HistogramSeries> explicit_;  // one of the two
  std::shared_ptr<detail::ExponentialSeries> exponential_;
};

class Histogram {
 public:
  explicit Histogram(std::shared_ptr<detail::Instrument<detail::HistogramSeries>> instrument);
  explicit Histogram(std::shared_ptr<detail::Instrument<detail::ExponentialSeries>> instrument);
  void record(double value, Attributes attributes = {}) const noexcept;
  [[nodiscard]] BoundHistogram bind(Attributes attributes = {}) const;

 private:
  std::shared_ptr<detail::Instrument<detail::HistogramSeries>> explicit_;  // one of the two
  std::shared_ptr<detail::Instrument<detail::ExponentialSeries>> exponential_;
};

// What a callback of an observable instrument reports to, during the call only.
class Observer {
 public:
  // The value now: of a counter, the total since it began. A second one with the same attributes
  // replaces the first; beyond the bound of series, sums are added up and gauges dropped.
  void observe(std::int64_t value, Attributes attributes = {});
  void observe(double value, Attributes attributes = {});

 private:
  friend class detail::ProviderState;
  explicit Observer(void* sink) noexcept : sink_(sink) {}
  void* sink_;
};
using Callback = std::function<void(Observer&)>;

// Keeps a callback registered, or what else measures. The destructor waits for a call of the
// callback under way, so it must not run within one.
class [[nodiscard]] Observation {
 public:
  Observation() noexcept = default;
  Observation(std::weak_ptr<detail::ProviderState> state, std::uint64_t id) noexcept
      : state_(std::move(state)), id_(id) {}
  explicit Observation(std::shared_ptr<void> measures) noexcept : measures_(std::move(measures)) {}
  ~Observation() { stop(); }
  Observation(Observation&& other) noexcept
      : state_(std::move(other.state_)),
        id_(std::exchange(other.id_, 0)),
        measures_(std::move(other.measures_)) {}
  Observation& operator=(Observation&& other) noexcept;
  void stop() noexcept;

 private:
  std::weak_ptr<detail::ProviderState> state_;
  std::uint64_t id_ = 0;
  std::shared_ptr<void> measures_;  // shared: who calls it may be at it
};

// Makes the instruments of one library or component. The same name, kind and unit again gives the
// same instrument. A name must be a letter and then letters, digits, '_', '.', '-' and '/', 255 in
// all: one that is not is warned about, and what it records is not exported.
class Meter {
 public:
  // T is std::int64_t or double. Not constrained here: compilers disagree on the names of
  // constrained functions in a library.
  template <class T = std::int64_t>
  [[nodiscard]] Counter<T> counter(std::string_view name, InstrumentOptions options = {}) const;
  template <class T = std::int64_t>
  [[nodiscard]] UpDownCounter<T> up_down_counter(std::string_view name,
                                                 InstrumentOptions options = {}) const;
  template <class T = std::int64_t>
  [[nodiscard]] Gauge<T> gauge(std::string_view name, InstrumentOptions options = {}) const;
  [[nodiscard]] Histogram histogram(std::string_view name, HistogramOptions options = {}) const;

  // The callback runs at each collection, on the thread that collects; it must be quick and must
  // not collect or register. What it throws is swallowed and counted.
  [[nodiscard]] Observation observable_counter(std::string_view name, Callback callback,
                                               InstrumentOptions options = {}) const;
  [[nodiscard]] Observation observable_up_down_counter(std::string_view name, Callback callback,
                                                       InstrumentOptions options = {}) const;
  [[nodiscard]] Observation observable_gauge(std::string_view name, Callback callback,
                                             InstrumentOptions options = {}) const;

 private:
  friend class MeterProvider;
  Meter(std::shared_ptr<detail::ProviderState> state, std::size_t scope) noexcept
      : state_(std::move(state)), scope_(scope) {}
  std::shared_ptr<detail::ProviderState> state_;
  std::size_t scope_;
};

struct MetricsStats {
  std::uint64_t exports = 0;          // requests the receiver took
  std::uint64_t failed_exports = 0;   // and those it did not
  std::uint64_t points = 0;           // taken
  std::uint64_t rejected_points = 0;  // by the receiver (partial success)
  std::uint64_t overflowed = 0;       // look-ups that ended in the overflow series
  std::uint64_t callback_errors = 0;
};

// Owns the instruments of a service and exports them every interval, on a thread of its own. In
// the child of a fork nothing is exported: make a provider there.
class MeterProvider {
 public:
  // Fails on a bad value (ErrorCode::invalid_argument), not on a receiver that is away.
  [[nodiscard]] static Result<std::unique_ptr<MeterProvider>> create(MetricsConfig config);
  ~MeterProvider();  // shutdown() within the configured time
  MeterProvider(const MeterProvider&) = delete;
  MeterProvider& operator=(const MeterProvider&) = delete;

  [[nodiscard]] Meter meter(std::string_view name, std::string_view version = {}) const;
  // Adds to each collection what is measured elsewhere. Called as callbacks are, for as long as the
  // provider lives.
  using Producer = std::function<void(std::vector<ScopeMetrics>& out)>;
  void add_producer(Producer producer);

  // Collects and exports now; false if the receiver did not take all of it in time.
  bool force_flush(std::int64_t timeout_ms = 30'000);
  // One last export, then none. False if that failed.
  bool shutdown(std::int64_t timeout_ms = 30'000);
  // Collects as an export does (deltas begin anew), for tests and for readers of one's own.
  [[nodiscard]] std::vector<ScopeMetrics> collect();
  [[nodiscard]] MetricsStats stats() const;

 private:
  explicit MeterProvider(std::shared_ptr<detail::ProviderState> state) noexcept
      : state_(std::move(state)) {}
  std::shared_ptr<detail::ProviderState> state_;  // shared with meters and handles
};

// Reads OTEL_METRICS_EXPORTER and the OTEL_* variables that go with it: see settings(). Nothing is
// exported unless the exporter is set.
[[nodiscard]] Result<MetricsConfig> metrics_config_from_environment(
    const config::Environment& environment, std::string_view role_suffix);

}  // namespace alphaswarm::observability::metrics
