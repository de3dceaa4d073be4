#include "alphaswarm/collector/telemetry.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <fstream>

#include "alphaswarm/base/counters.hpp"
#include "alphaswarm/tracestore/memory_store.hpp"

namespace alphaswarm::collector {
namespace {

using Type = MetricsText::Type;

void write_stages(MetricsText& text, const std::vector<StageStats>& stages) {
  struct Column {
    std::string_view name;
    std::uint64_t StageStats::* value;
    std::string_view help;
  };
  static constexpr Column kColumns[] = {
      {"received", &StageStats::received, "Spans that a stage took."},
      {"refused", &StageStats::refused, "Spans that a stage refused; their sender keeps them."},
      {"sent", &StageStats::sent, "Spans that a stage passed on."},
      {"dropped", &StageStats::dropped, "Spans that a stage took and could not pass on."}};
  for (const Column& column : kColumns) {
    text.family("alphaswarm_collector_" + std::string(column.name) + "_spans", Type::counter,
                column.help);
    for (const StageStats& stage : stages) {
      text.sample("", label_text({{"stage", stage.id}}), stage.*column.value);
    }
  }
  text.family("alphaswarm_collector_held_spans", Type::gauge, "Spans that a stage holds now.");
  for (const StageStats& stage : stages) {
    text.sample("", label_text({{"stage", stage.id}}), stage.held);
  }
}

void write_store(MetricsText& text, const tracestore::StoreStats& stats) {
  text.family("alphaswarm_store_traces", Type::gauge, "Traces held in memory.");
  text.sample("", "", stats.traces);
  text.family("alphaswarm_store_spans", Type::gauge, "Spans held in memory.");
  text.sample("", "", stats.spans);
  text.family("alphaswarm_store_bytes", Type::gauge, "Bytes that held spans and their index take.");
  text.sample("", "", stats.bytes);
  text.family("alphaswarm_store_added_spans", Type::counter, "Spans put into the store.");
  text.sample("", "", stats.added_spans);
  text.family("alphaswarm_store_evicted_spans", Type::counter,
              "Spans evicted, in whole traces, to keep within the bound.");
  text.sample("", "", stats.evicted_spans);
  text.family("alphaswarm_store_evicted_traces", Type::counter, "Traces evicted.");
  text.sample("", "", stats.evicted_traces);
}

void write_sdk(MetricsText& text, const std::vector<SdkStats>& providers) {
  const auto family = [&](std::string_view name, Type type, std::string_view help, auto value) {
    text.family("alphaswarm_sdk_" + std::string(name), type, help);
    for (const SdkStats& provider : providers) {
      text.sample("", label_text({{"service", provider.service}}), value(provider));
    }
  };
  family("started_spans", Type::counter, "Spans started.", [](const auto& p) { return p.started; });
  family("exported_spans", Type::counter, "Spans accepted by their receiver.",
         [](const auto& p) { return p.exported; });
  family("open_spans", Type::gauge, "Spans that have not ended.",
         [](const auto& p) { return p.open; });
  text.family("alphaswarm_sdk_dropped_spans", Type::counter, "Spans lost, by cause.");
  for (const SdkStats& provider : providers) {
    for (const auto& [cause, count] : provider.dropped) {
      text.sample("", label_text({{"service", provider.service}, {"cause", cause}}), count);
    }
  }
}

// The counters of base/counters come sorted by name; those of one name are one family.
void write_counters(MetricsText& text) {
  std::string family;
  visit_counters([&](const CounterSample& sample) {
    std::string_view name = sample.name;
    if (name.ends_with("_total")) name.remove_suffix(6);
    if (name != family) {
      family = name;
      text.family(name, sample.gauge ? Type::gauge : Type::counter, sample.help);
    }
    if (sample.is_time()) {
      text.sample("", sample.labels, sample.seconds());
    } else {
      text.sample("", sample.labels, sample.value);
    }
  });
}

void write_process(MetricsText& text) {
  ::rusage usage{};
  if (::getrusage(RUSAGE_SELF, &usage) == 0) {
    const auto seconds = [](const ::timeval& t) {
      return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
    };
    text.family("process_cpu_seconds", Type::counter, "User and system CPU time.");
    text.sample("", "", seconds(usage.ru_utime) + seconds(usage.ru_stime));
  }
  std::ifstream statm("/proc/self/statm");
  std::uint64_t total = 0;
  std::uint64_t resident = 0;
  if (statm >> total >> resident) {
    text.family("process_resident_memory_bytes", Type::gauge, "Resident memory.");
    text.sample("", "", resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)));
  }
}

}  // namespace

void write_own_metrics(MetricsText& text, const std::vector<StageStats>& stages,
                       const CollectorHost& host) {
  write_counters(text);
  write_stages(text, stages);
  if (host.store) write_store(text, host.store->stats());
  if (host.sdk_stats) write_sdk(text, host.sdk_stats());
  write_process(text);
}

}  // namespace alphaswarm::collector
