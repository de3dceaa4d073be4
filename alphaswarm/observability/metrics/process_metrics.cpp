#include "alphaswarm/observability/metrics/process_metrics.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <map>
#include <string>
#include <string_view>

#include "alphaswarm/base/counters.hpp"
#include "alphaswarm/base/time.hpp"
#include "alphaswarm/observability/metrics/attribute_set.hpp"
#include "alphaswarm/otlp/encode.hpp"

namespace alphaswarm::observability::metrics {
namespace {

// Prometheus label text: name="value",…, with \" \\ and \n in values.
AttributeSet attributes_of(std::string_view labels) {
  std::map<std::string, std::string> pairs;
  while (!labels.empty()) {
    const std::size_t quote = labels.find("=\"");
    if (quote == std::string_view::npos) break;
    std::string value;
    std::size_t at = quote + 2;
    for (; at < labels.size() && labels[at] != '"'; ++at) {
      if (labels[at] == '\\' && at + 1 < labels.size()) {
        ++at;
        value += labels[at] == 'n' ? '\n' : labels[at];
      } else {
        value += labels[at];
      }
    }
    pairs.insert_or_assign(std::string(labels.substr(0, quote)), std::move(value));
    labels.remove_prefix(std::min(at + 1, labels.size()));
    if (labels.starts_with(',')) labels.remove_prefix(1);
  }
  otlp::MessageWriter set;
  for (const auto& [key, value] : pairs) {
    set.bytes(1, otlp::string_key_value(detail::repaired(key), detail::repaired(value)));
  }
  return {set.str()};
}

std::uint64_t resident_bytes() {
  unsigned long long total = 0;
  unsigned long long resident = 0;
  if (std::FILE* const file = std::fopen("/proc/self/statm", "re"); file != nullptr) {
    if (std::fscanf(file, "%llu %llu", &total, &resident) != 2) resident = 0;
    std::fclose(file);
  }
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

void export_counters(MeterProvider& provider) {
  provider.add_producer([start = now_unix()](std::vector<ScopeMetrics>& out) {
    ScopeMetrics& scope = out.emplace_back("alphaswarm.counters", "");
    const UnixNanos now = now_unix();
    visit_counters([&](const CounterSample& sample) {
      if (scope.metrics.empty() || scope.metrics.back().name != sample.name) {
        Metric& made = scope.metrics.emplace_back();
        made.name = sample.name;
        made.description = sample.help;
        made.kind = sample.gauge ? Metric::Kind::gauge : Metric::Kind::sum;
        made.monotonic = !sample.gauge;
      }
      NumberPoint& point = scope.metrics.back().numbers.emplace_back();
      point.attributes = attributes_of(sample.labels);
      if (!sample.gauge) point.start = start;
      point.time = now;
      if (sample.is_time()) {
        point.value = sample.seconds();
      } else {
        point.value = static_cast<std::int64_t>(sample.value);
      }
    });
    if (scope.metrics.empty()) out.pop_back();
  });
}

std::vector<Observation> observe_process(const Meter& meter) {
  std::vector<Observation> kept;
  kept.push_back(meter.observable_counter(
      "process.cpu.time",
      [](Observer& observer) {
        ::rusage usage{};
        if (::getrusage(RUSAGE_SELF, &usage) != 0) return;
        const auto seconds = [](const ::timeval& time) {
          return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
        };
        observer.observe(seconds(usage.ru_utime), {{"cpu.mode", "user"}});
        observer.observe(seconds(usage.ru_stime), {{"cpu.mode", "system"}});
      },
      {.unit = "s", .description = "CPU time of the process."}));
  kept.push_back(meter.observable_up_down_counter(
      "process.memory.usage",
      [](Observer& observer) { observer.observe(static_cast<std::int64_t>(resident_bytes())); },
      {.unit = "By", .description = "Resident memory of the process."}));
  return kept;
}

}  // namespace alphaswarm::observability::metrics
