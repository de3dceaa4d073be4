#include "alphaswarm/observability/metrics/meter.hpp"

#include <algorithm>
#include <cmath>

#include "alphaswarm/observability/metrics/provider_state.hpp"

namespace alphaswarm::observability::metrics {
namespace {

using detail::Identity;
using detail::SeriesOptions;

Identity identity_of(const detail::ProviderState& state, std::string_view name,
                     const InstrumentOptions& options, Metric::Kind kind, bool monotonic,
                     bool observable, bool integer) {
  return {.name = std::string(name),
          .description = detail::repaired(options.description),
          .unit = detail::repaired(options.unit),
          .kind = kind,
          .monotonic = monotonic,
          .observable = observable,
          .integer = integer,
          .temporality = state.temporality(kind, monotonic, observable),
          .boundaries = {}};
}

const std::vector<double> kStandardBoundaries = {0,   5,   10,   25,   50,   75,   100,  250,
                                                 500, 750, 1000, 2500, 5000, 7500, 10000};

}  // namespace

template <class T>
Counter<T> Meter::counter(std::string_view name, InstrumentOptions options) const {
  return Counter<T>(state_->instrument<detail::SumSeries<T>>(
      scope_, identity_of(*state_, name, options, Metric::Kind::sum, true, false, std::integral<T>),
      {.filter = state_->config().exemplars}));
}

template <class T>
UpDownCounter<T> Meter::up_down_counter(std::string_view name, InstrumentOptions options) const {
  return UpDownCounter<T>(state_->instrument<detail::SumSeries<T>>(
      scope_,
      identity_of(*state_, name, options, Metric::Kind::sum, false, false, std::integral<T>),
      {.filter = state_->config().exemplars}));
}

template <class T>
Gauge<T> Meter::gauge(std::string_view name, InstrumentOptions options) const {
  return Gauge<T>(state_->instrument<detail::GaugeSeries<T>>(
      scope_,
      identity_of(*state_, name, options, Metric::Kind::gauge, false, false, std::integral<T>),
      {.filter = state_->config().exemplars}));
}

template Counter<std::int64_t> Meter::counter(std::string_view, InstrumentOptions) const;
template Counter<double> Meter::counter(std::string_view, InstrumentOptions) const;
template UpDownCounter<std::int64_t> Meter::up_down_counter(std::string_view,
                                                            InstrumentOptions) const;
template UpDownCounter<double> Meter::up_down_counter(std::string_view, InstrumentOptions) const;
template Gauge<std::int64_t> Meter::gauge(std::string_view, InstrumentOptions) const;
template Gauge<double> Meter::gauge(std::string_view, InstrumentOptions) const;

Histogram Meter::histogram(std::string_view name, HistogramOptions options) const {
  const HistogramKind kind =
      options.kind == HistogramKind::standard ? state_->config().histogram : options.kind;
  const bool exponential = kind == HistogramKind::exponential;
  Identity identity =
      identity_of(*state_, name, {options.unit, options.description},
                  exponential ? Metric::Kind::exponential_histogram : Metric::Kind::histogram,
                  false, false, false);
  SeriesOptions series{.filter = state_->config().exemplars};
  if (exponential) {
    series.exponential_buckets = std::clamp<std::size_t>(options.max_buckets, 2, 16'384);
    series.max_scale = std::clamp(options.max_scale, kMinScale, kMaxScale);
    return Histogram(state_->instrument<detail::ExponentialSeries>(scope_, std::move(identity),
                                                                   std::move(series)));
  }
  std::vector<double> bounds =
      options.boundaries.empty() ? kStandardBoundaries : std::move(options.boundaries);
  std::erase_if(bounds, [](double bound) { return !std::isfinite(bound); });
  std::ranges::sort(bounds);
  bounds.erase(std::ranges::unique(bounds).begin(), bounds.end());
  identity.boundaries = series.boundaries = std::move(bounds);
  return Histogram(
      state_->instrument<detail::HistogramSeries>(scope_, std::move(identity), std::move(series)));
}

Observation Meter::observable_counter(std::string_view name, Callback callback,
                                      InstrumentOptions options) const {
  return {state_,
          state_->observe(scope_,
                          identity_of(*state_, name, options, Metric::Kind::sum, true, true, false),
                          std::move(callback))};
}

Observation Meter::observable_up_down_counter(std::string_view name, Callback callback,
                                              InstrumentOptions options) const {
  return {state_,
          state_->observe(
              scope_, identity_of(*state_, name, options, Metric::Kind::sum, false, true, false),
              std::move(callback))};
}

Observation Meter::observable_gauge(std::string_view name, Callback callback,
                                    InstrumentOptions options) const {
  return {state_,
          state_->observe(
              scope_, identity_of(*state_, name, options, Metric::Kind::gauge, false, true, false),
              std::move(callback))};
}

void Observer::observe(std::int64_t value, Attributes attributes) {
  static_cast<detail::ObservableInstrument*>(sink_)->observe(value, attributes);
}
void Observer::observe(double value, Attributes attributes) {
  static_cast<detail::ObservableInstrument*>(sink_)->observe(value, attributes);
}

Observation& Observation::operator=(Observation&& other) noexcept {
  if (this != &other) {
    stop();
    state_ = std::move(other.state_);
    id_ = std::exchange(other.id_, 0);
    measures_ = std::move(other.measures_);
  }
  return *this;
}

void Observation::stop() noexcept {
  measures_.reset();
  if (const std::uint64_t id = std::exchange(id_, 0); id != 0) {
    if (const auto state = state_.lock()) state->forget(id);
  }
}

Result<std::unique_ptr<MeterProvider>> MeterProvider::create(MetricsConfig config) {
  const auto bad = [](std::string message) {
    return fail(ErrorCode::invalid_argument, std::move(message));
  };
  if (config.interval_ms <= 0) return bad("interval_ms must be positive");
  if (config.export_timeout_ms <= 0) return bad("export_timeout_ms must be positive");
  if (config.receiver.timeout_ms <= 0) return bad("timeout_ms must be positive");
  if (config.max_series == 0) return bad("max_series must not be 0");
  auto exporter = SignalExporter::create(config.receiver, Signal::metrics);
  if (!exporter) return std::unexpected(exporter.error());
  auto state = std::make_shared<detail::ProviderState>(std::move(config), std::move(*exporter));
  state->start();
  return std::unique_ptr<MeterProvider>(new MeterProvider(std::move(state)));
}

MeterProvider::~MeterProvider() { shutdown(state_->config().shutdown_timeout_ms); }

Meter MeterProvider::meter(std::string_view name, std::string_view version) const {
  return {state_, state_->scope(name, version)};
}
void MeterProvider::add_producer(Producer producer) { state_->add_producer(std::move(producer)); }
bool MeterProvider::force_flush(std::int64_t timeout_ms) {
  return state_->flush(std::chrono::milliseconds(timeout_ms));
}
bool MeterProvider::shutdown(std::int64_t timeout_ms) {
  return state_->shutdown(std::chrono::milliseconds(timeout_ms));
}
std::vector<ScopeMetrics> MeterProvider::collect() { return state_->collect(); }
MetricsStats MeterProvider::stats() const { return state_->stats(); }

}  // namespace alphaswarm::observability::metrics
