#include "alphaswarm/observability/metrics/sdk_health.hpp"

#include <memory>
#include <string>
#include <utility>

namespace alphaswarm::observability::metrics {
namespace {

using Read = std::uint64_t (*)(const Stats&);

struct Count {
  std::string_view name;
  std::string_view description;
  Read read;
};

constexpr Count kCounters[] = {
    {"started", "Recorded spans started.", [](const Stats& s) { return s.started; }},
    {"ended", "Recorded spans ended.", [](const Stats& s) { return s.ended; }},
    {"exported", "Spans the receiver accepted.", [](const Stats& s) { return s.exported; }},
    {"spilled", "Spans kept in the spill folder for later.",
     [](const Stats& s) { return s.spilled; }},
    {"not_sampled", "Spans started but not recorded.",
     [](const Stats& s) { return s.not_sampled; }},
};

constexpr Count kLevels[] = {
    {"open", "Recorded spans open.", [](const Stats& s) { return s.open; }},
    {"waiting", "Spans that ended and were not sent yet.",
     [](const Stats& s) { return s.waiting(); }},
};

std::int64_t number(std::uint64_t count) { return static_cast<std::int64_t>(count); }

Callback observe(const TracerProvider& provider, Read read) {
  return [&provider, read](Observer& observer) {
    observer.observe(number(read(provider.stats())), {{"service.name", provider.service_name()}});
  };
}

// By OpenTelemetry's conventions for the metrics of an SDK, which are still in development:
// https://opentelemetry.io/docs/specs/semconv/otel/sdk-metrics/
class ExportDurations final : public ExportListener {
 public:
  ExportDurations(const Meter& meter, std::string service)
      : service_(std::move(service)),
        durations_(meter.histogram("otel.sdk.exporter.operation.duration",
                                   {.unit = "s",
                                    .description = "Exports of a batch, retries and pauses "
                                                   "included.",
                                    .boundaries = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                                   0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30}})) {}
  void exported(double seconds, std::string_view error) override {
    if (error.empty()) {
      durations_.record(seconds, {{"service.name", service_}});
    } else {
      durations_.record(seconds, {{"service.name", service_}, {"error.type", error}});
    }
  }

 private:
  std::string service_;
  Histogram durations_;
};

// What the flight recorder keeps.
void observe_recorder(const Meter& meter, const TracerProvider& provider,
                      std::vector<Observation>& kept) {
  const auto service = [&provider](Observer& observer, auto value) {
    observer.observe(value, {{"service.name", provider.service_name()}});
  };
  const std::string name = "alphaswarm.sdk.recorder.";
  kept.push_back(meter.observable_gauge(
      name + "retained",
      [&provider, service](Observer& observer) {
        service(observer, provider.stats().recorder.retained_seconds);
      },
      {.unit = "s", .description = "How far back the flight recorder reaches."}));
  kept.push_back(meter.observable_up_down_counter(
      name + "kept",
      [&provider, service](Observer& observer) {
        service(observer, number(provider.stats().recorder.kept));
      },
      {.unit = "{span}", .description = "Unsampled spans it keeps."}));
  kept.push_back(meter.observable_counter(
      name + "exported",
      [&provider, service](Observer& observer) {
        service(observer, number(provider.stats().recorder.exported));
      },
      {.unit = "{span}", .description = "Unsampled spans exported after a trigger."}));
}

void observe_spill(const TracerProvider& provider, Observer& observer) {
  const Stats::Spill spill = provider.stats().spill;
  const auto what = [&](std::string_view name, std::uint64_t count) {
    observer.observe(number(count), {{"service.name", provider.service_name()}, {"fate", name}});
  };
  what("sent", spill.sent);
  what("overwritten", spill.overwritten);
  what("rejected", spill.rejected);
}

void observe_dropped(const TracerProvider& provider, Observer& observer) {
  const Stats::Dropped dropped = provider.stats().dropped;
  const auto cause = [&](std::string_view name, std::uint64_t count) {
    observer.observe(number(count), {{"service.name", provider.service_name()}, {"cause", name}});
  };
  cause("no_slot", dropped.no_slot);
  cause("no_chunk", dropped.no_chunk);
  cause("export_failed", dropped.export_failed);
  cause("rejected", dropped.rejected);
  cause("provider_gone", dropped.provider_gone);
}

}  // namespace

std::vector<Observation> observe_sdk(const Meter& meter, const TracerProvider& provider) {
  const auto options = [](std::string_view unit, std::string_view description) {
    return InstrumentOptions{std::string(unit), std::string(description)};
  };
  const std::string spans = "alphaswarm.sdk.spans.";
  std::vector<Observation> kept;
  for (const Count& each : kCounters) {
    kept.push_back(meter.observable_counter(spans + std::string(each.name),
                                            observe(provider, each.read),
                                            options("{span}", each.description)));
  }
  for (const Count& each : kLevels) {
    kept.push_back(meter.observable_up_down_counter(spans + std::string(each.name),
                                                    observe(provider, each.read),
                                                    options("{span}", each.description)));
  }
  kept.push_back(meter.observable_counter(
      spans + "dropped", [&provider](Observer& observer) { observe_dropped(provider, observer); },
      options("{span}", "Recorded spans lost, by cause.")));
  kept.push_back(meter.observable_counter(
      "alphaswarm.sdk.batches", observe(provider, [](const Stats& s) { return s.batches; }),
      options("{request}", "Requests offered to the receiver.")));
  kept.push_back(meter.observable_counter(
      "alphaswarm.sdk.retries", observe(provider, [](const Stats& s) { return s.retries; }),
      options("{request}", "Requests offered again.")));
  kept.push_back(meter.observable_counter(
      spans + "from_spill", [&provider](Observer& observer) { observe_spill(provider, observer); },
      options("{span}", "Spans that left the spill folder, by their fate.")));
  kept.push_back(
      meter.observable_counter("alphaswarm.sdk.export.calls",
                               observe(provider, [](const Stats& s) { return s.exports.calls; }),
                               options("{call}", "Calls of the exporter, failed ones too.")));
  const auto durations =
      std::make_shared<ExportDurations>(meter, std::string(provider.service_name()));
  provider.listen(durations);
  kept.emplace_back(durations);
  observe_recorder(meter, provider, kept);
  return kept;
}

}  // namespace alphaswarm::observability::metrics
