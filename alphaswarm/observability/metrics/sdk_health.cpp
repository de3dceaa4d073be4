#include "alphaswarm/observability/metrics/sdk_health.hpp"

#include <string>

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
    {"not_sampled", "Spans started but not recorded.",
     [](const Stats& s) { return s.not_sampled; }},
};

std::uint64_t waiting(const Stats& stats) {
  const std::uint64_t gone = stats.exported + stats.dropped.no_chunk + stats.dropped.export_failed +
                             stats.dropped.rejected + stats.dropped.provider_gone;
  return stats.ended > gone ? stats.ended - gone : 0;
}

constexpr Count kLevels[] = {
    {"open", "Recorded spans open.", [](const Stats& s) { return s.open; }},
    {"waiting", "Spans that ended and were not sent yet.", waiting},
};

std::int64_t number(std::uint64_t count) { return static_cast<std::int64_t>(count); }

Callback observe(const TracerProvider& provider, Read read) {
  return [&provider, read](Observer& observer) {
    observer.observe(number(read(provider.stats())), {{"service.name", provider.service_name()}});
  };
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
  return kept;
}

}  // namespace alphaswarm::observability::metrics
