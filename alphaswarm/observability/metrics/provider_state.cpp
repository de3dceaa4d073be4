#include "alphaswarm/observability/metrics/provider_state.hpp"

#include <algorithm>
#include <cstdio>

#include "alphaswarm/base/log.hpp"
#include "alphaswarm/base/thread.hpp"
#include "alphaswarm/observability/metrics/console.hpp"
#include "alphaswarm/observability/metrics/encode.hpp"
#include "alphaswarm/observability/sdk/resource.hpp"

namespace alphaswarm::observability::metrics::detail {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

std::string resource_of(const MetricsConfig& config) {
  Config identity;
  identity.service_name = config.service_name;
  identity.resource = config.resource;
  return observability::sdk::encode_resource(identity);
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

bool same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, lower, lower);
}

bool valid_name(std::string_view name) {
  const auto letter = [](char c) { return lower(c) >= 'a' && lower(c) <= 'z'; };
  return !name.empty() && name.size() <= 255 && letter(name.front()) &&
         std::ranges::all_of(name, [&](char c) {
           return letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-' ||
                  c == '/';
         });
}

}  // namespace

ProviderState::ProviderState(MetricsConfig config, std::unique_ptr<SignalExporter> exporter)
    : config_(std::move(config)), resource_(resource_of(config_)), exporter_(std::move(exporter)) {}

std::size_t ProviderState::scope(std::string_view name, std::string_view version) {
  if (!process_.is_here()) return 0;  // instruments of it are nobody's
  const std::scoped_lock lock(mutex_);
  const std::string safe_name = repaired(name);
  const std::string safe_version = repaired(version);
  for (std::size_t i = 0; i < scopes_.size(); ++i) {
    if (scopes_[i].name == safe_name && scopes_[i].version == safe_version) return i;
  }
  scopes_.push_back({safe_name, safe_version, {}});
  return scopes_.size() - 1;
}

std::shared_ptr<InstrumentBase> ProviderState::find(const Scope& scope, const Identity& identity) {
  for (const auto& each : scope.instruments) {
    if (!same_name(each->identity().name, identity.name)) continue;
    if (each->identity().same_as(identity)) return each;
    log_warning("metrics", "two different instruments are called " + identity.name);
  }
  return nullptr;
}

template <class S>
std::shared_ptr<Instrument<S>> ProviderState::instrument(std::size_t scope, Identity identity,
                                                         SeriesOptions options) {
  const bool valid = valid_name(identity.name);
  if (!valid) {
    log_warning("metrics", "an instrument's name is not valid; it is not exported: " +
                               repaired(identity.name));
  }
  if (!valid || !process_.is_here()) {
    return std::make_shared<Instrument<S>>(std::move(identity), std::move(options), bounds());
  }
  const std::scoped_lock lock(mutex_);
  Scope& owner = scopes_[scope];
  if (const auto found = find(owner, identity); found != nullptr) {
    if (auto same = std::dynamic_pointer_cast<Instrument<S>>(found)) return same;
  }
  auto made = std::make_shared<Instrument<S>>(std::move(identity), std::move(options), bounds());
  owner.instruments.push_back(made);
  return made;
}

template std::shared_ptr<Instrument<SumSeries<std::int64_t>>> ProviderState::instrument(
    std::size_t, Identity, SeriesOptions);
template std::shared_ptr<Instrument<SumSeries<double>>> ProviderState::instrument(std::size_t,
                                                                                  Identity,
                                                                                  SeriesOptions);
template std::shared_ptr<Instrument<GaugeSeries<std::int64_t>>> ProviderState::instrument(
    std::size_t, Identity, SeriesOptions);
template std::shared_ptr<Instrument<GaugeSeries<double>>> ProviderState::instrument(std::size_t,
                                                                                    Identity,
                                                                                    SeriesOptions);
template std::shared_ptr<Instrument<HistogramSeries>> ProviderState::instrument(std::size_t,
                                                                                Identity,
                                                                                SeriesOptions);
template std::shared_ptr<Instrument<ExponentialSeries>> ProviderState::instrument(std::size_t,
                                                                                  Identity,
                                                                                  SeriesOptions);

std::uint64_t ProviderState::observe(std::size_t scope, Identity identity, Callback callback) {
  if (!valid_name(identity.name)) {
    log_warning("metrics", "an instrument's name is not valid; it is not exported: " +
                               repaired(identity.name));
    return 0;
  }
  if (!process_.is_here()) return 0;
  const std::scoped_lock lock(callbacks_mutex_, mutex_);
  Scope& owner = scopes_[scope];
  auto instrument = std::dynamic_pointer_cast<ObservableInstrument>(find(owner, identity));
  if (instrument == nullptr) {
    instrument = std::make_shared<ObservableInstrument>(std::move(identity), bounds());
    owner.instruments.push_back(instrument);
  }
  instrument->add_callback(++last_observation_, std::move(callback));
  return last_observation_;
}

void ProviderState::forget(std::uint64_t observation) {
  if (!process_.is_here()) return;
  const std::scoped_lock lock(callbacks_mutex_, mutex_);
  for (Scope& scope : scopes_) {
    for (const auto& each : scope.instruments) {
      if (auto* observable = dynamic_cast<ObservableInstrument*>(each.get())) {
        observable->remove_callback(observation);
      }
    }
  }
}

void ProviderState::add_producer(MeterProvider::Producer producer) {
  const std::scoped_lock lock(callbacks_mutex_);
  producers_.push_back(std::move(producer));
}

void ProviderState::run_producers(std::vector<ScopeMetrics>& out) {
  const std::scoped_lock lock(callbacks_mutex_);
  for (const MeterProvider::Producer& producer : producers_) {
    std::vector<ScopeMetrics> made;
    try {
      producer(made);
      std::ranges::move(made, std::back_inserter(out));
    } catch (...) {  // of the user's; the others go on
      callback_errors_.fetch_add(1, std::memory_order_relaxed);
    }
  }
}

Temporality ProviderState::temporality(Metric::Kind kind, bool monotonic, bool observable) const {
  const bool may_change = kind == Metric::Kind::histogram ||
                          kind == Metric::Kind::exponential_histogram ||
                          (kind == Metric::Kind::sum && monotonic);
  const bool asked = config_.temporality == TemporalityPreference::delta ||
                     (config_.temporality == TemporalityPreference::low_memory && !observable);
  return may_change && asked ? Temporality::delta : Temporality::cumulative;
}

void ProviderState::run_callbacks(ObservableInstrument& instrument) {
  const std::scoped_lock lock(callbacks_mutex_);
  instrument.for_each_callback([&](Callback& callback) {
    try {
      Observer observer(&instrument);
      callback(observer);
    } catch (...) {  // of the user's; the others go on
      callback_errors_.fetch_add(1, std::memory_order_relaxed);
    }
  });
}

std::vector<ScopeMetrics> ProviderState::collect() {
  const std::scoped_lock collecting(collect_mutex_);
  std::vector<Scope> scopes;
  {
    const std::scoped_lock lock(mutex_);
    scopes = scopes_;
  }
  std::vector<ScopeMetrics> found;
  for (const Scope& scope : scopes) {
    ScopeMetrics out{scope.name, scope.version, {}};
    for (const auto& each : scope.instruments) {
      const Identity& identity = each->identity();
      Metric metric;
      metric.name = identity.name;
      metric.description = identity.description;
      metric.unit = identity.unit;
      metric.kind = identity.kind;
      metric.temporality = identity.temporality;
      metric.monotonic = identity.monotonic;
      metric.boundaries = identity.boundaries;
      if (auto* observable = dynamic_cast<ObservableInstrument*>(each.get())) {
        run_callbacks(*observable);
      }
      each->collect(metric, now_unix());
      if (metric.points() != 0) out.metrics.push_back(std::move(metric));
    }
    if (!out.metrics.empty()) found.push_back(std::move(out));
  }
  run_producers(found);
  return found;
}

MetricsStats ProviderState::stats() const {
  const auto read = [](const std::atomic<std::uint64_t>& count) {
    return count.load(std::memory_order_relaxed);
  };
  return {read(exports_),         read(failed_exports_), read(points_),
          read(rejected_points_), read(*overflowed_),    read(callback_errors_)};
}

void ProviderState::start() {
  if (!config_.receiver.sends() && !config_.console) return;
  thread_ = start_thread("otel-metrics", [this](const std::stop_token& stop) { run(stop); });
}

void ProviderState::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    {
      std::unique_lock lock(wake_mutex_);
      wake_.wait_for(lock, stop, milliseconds(config_.interval_ms), [] { return false; });
    }
    if (stop.stop_requested()) return;  // the last export is shutdown()'s
    export_now(steady_clock::now() + milliseconds(config_.export_timeout_ms));
  }
}

bool ProviderState::export_now(TimePoint deadline) {
  const std::unique_lock lock(export_mutex_, deadline);
  if (!lock.owns_lock()) return false;
  const std::vector<ScopeMetrics> scopes = collect();
  if (config_.console) print(scopes);
  std::size_t points = 0;
  for (const ScopeMetrics& scope : scopes) {
    for (const Metric& metric : scope.metrics) points += metric.points();
  }
  if (points == 0 || !config_.receiver.sends()) return true;
  const SinkResult result = exporter_->send(encode_request(resource_, scopes),
                                            static_cast<std::uint32_t>(points), deadline);
  const bool taken = result.status == SinkResult::accepted;
  (taken ? exports_ : failed_exports_).fetch_add(1, std::memory_order_relaxed);
  if (!taken) return false;
  points_.fetch_add(points - result.rejected_spans, std::memory_order_relaxed);
  rejected_points_.fetch_add(result.rejected_spans, std::memory_order_relaxed);
  return result.rejected_spans == 0;
}

bool ProviderState::flush(milliseconds timeout) {
  if (!process_.is_here() || shut_down_.load(std::memory_order_acquire)) return false;
  return export_now(steady_clock::now() + timeout);
}

bool ProviderState::shutdown(milliseconds timeout) {
  if (shut_down_.exchange(true, std::memory_order_acq_rel)) return true;
  if (!process_.is_here()) {  // the thread and its locks stayed with the parent
    if (thread_.joinable()) thread_.detach();
    return false;
  }
  const TimePoint deadline = steady_clock::now() + timeout;
  exporter_->stop_by(deadline);
  thread_ = {};  // stops and joins
  return export_now(deadline);
}

}  // namespace alphaswarm::observability::metrics::detail
