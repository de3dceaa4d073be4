#include "alphaswarm/observability/metrics/instrument.hpp"

#include "alphaswarm/base/counters.hpp"

namespace alphaswarm::observability::metrics {
namespace detail {

const AttributeSet& overflow_attributes() {
  static const AttributeSet kSet = canonical({{"otel.metric.overflow", true}});
  return kSet;
}

void count_overflow() noexcept {
  static alphaswarm::Counter& count =
      alphaswarm::counter("alphaswarm_metric_overflow_total", "",
                          "Metric attribute sets beyond the bound of their instrument.");
  count.add();
}

void record(SumSeries<std::int64_t>& series, std::int64_t value) noexcept { series.record(value); }
void record(SumSeries<double>& series, double value) noexcept { series.record(value); }
void record(GaugeSeries<std::int64_t>& series, std::int64_t value) noexcept {
  series.record(value);
}
void record(GaugeSeries<double>& series, double value) noexcept { series.record(value); }

template <class S, class T>
void record_with(Instrument<S>& instrument, T value, Attributes attributes) noexcept {
  try {
    instrument.series(attributes)->record(value);
  } catch (...) {  // no memory: metrics never harm their host
    count_overflow();
  }
}

template void record_with(Instrument<SumSeries<std::int64_t>>&, std::int64_t, Attributes) noexcept;
template void record_with(Instrument<SumSeries<double>>&, double, Attributes) noexcept;
template void record_with(Instrument<GaugeSeries<std::int64_t>>&, std::int64_t,
                          Attributes) noexcept;
template void record_with(Instrument<GaugeSeries<double>>&, double, Attributes) noexcept;
template void record_with(Instrument<HistogramSeries>&, double, Attributes) noexcept;
template void record_with(Instrument<ExponentialSeries>&, double, Attributes) noexcept;
template std::shared_ptr<SumSeries<std::int64_t>> bind_to(Instrument<SumSeries<std::int64_t>>&,
                                                          Attributes);
template std::shared_ptr<SumSeries<double>> bind_to(Instrument<SumSeries<double>>&, Attributes);
template std::shared_ptr<GaugeSeries<std::int64_t>> bind_to(Instrument<GaugeSeries<std::int64_t>>&,
                                                            Attributes);
template std::shared_ptr<GaugeSeries<double>> bind_to(Instrument<GaugeSeries<double>>&, Attributes);

namespace {

Number sum(const Number& a, const Number& b, bool subtract) {
  const auto as_double = [](const Number& number) {
    return std::visit([](auto value) { return static_cast<double>(value); }, number);
  };
  if (std::holds_alternative<std::int64_t>(a) && std::holds_alternative<std::int64_t>(b)) {
    // In the unsigned type, which wraps where the signed one would overflow.
    const auto x = static_cast<std::uint64_t>(std::get<std::int64_t>(a));
    const auto y = static_cast<std::uint64_t>(std::get<std::int64_t>(b));
    return static_cast<std::int64_t>(subtract ? x - y : x + y);
  }
  return subtract ? as_double(a) - as_double(b) : as_double(a) + as_double(b);
}

}  // namespace

void ObservableInstrument::observe(Number value, Attributes attributes) {
  AttributeSet set = canonical(attributes);
  if (now_.contains(set.bytes) || now_.size() + 1 < bounds_.max_series) {
    now_.insert_or_assign(std::move(set.bytes), value);
    return;
  }
  bounds_.overflowed->fetch_add(1, std::memory_order_relaxed);  // a statistic
  count_overflow();
  if (identity().kind == Metric::Kind::gauge) return;
  const auto [at, added] = now_.try_emplace(overflow_attributes().bytes, value);
  if (!added) at->second = sum(at->second, value, false);
}

void ObservableInstrument::collect(Metric& out, UnixNanos now) {
  for (const auto& [bytes, value] : now_) {
    NumberPoint point;
    point.attributes.bytes = bytes;
    if (identity().kind != Metric::Kind::gauge) point.start = start_;
    point.time = now;
    point.value = value;
    if (delta()) {
      if (const auto former = before_.find(bytes); former != before_.end()) {
        point.value = sum(value, former->second, true);
      }
    }
    out.numbers.push_back(std::move(point));
  }
  if (delta()) start_ = now;
  before_ = std::move(now_);
  now_ = {};
}

}  // namespace detail

Histogram::Histogram(std::shared_ptr<detail::Instrument<detail::HistogramSeries>> instrument)
    : explicit_(std::move(instrument)) {}
Histogram::Histogram(std::shared_ptr<detail::Instrument<detail::ExponentialSeries>> instrument)
    : exponential_(std::move(instrument)) {}

void Histogram::record(double value, Attributes attributes) const noexcept {
  if (explicit_ != nullptr) {
    detail::record_with(*explicit_, value, attributes);
  } else {
    detail::record_with(*exponential_, value, attributes);
  }
}

BoundHistogram Histogram::bind(Attributes attributes) const {
  BoundHistogram bound;
  if (explicit_ != nullptr) {
    bound.explicit_ = explicit_->series(attributes);
  } else {
    bound.exponential_ = exponential_->series(attributes);
  }
  return bound;
}

void BoundHistogram::record(double value) const noexcept {
  if (explicit_ != nullptr) {
    explicit_->record(value);
  } else {
    exponential_->record(value);
  }
}

}  // namespace alphaswarm::observability::metrics
