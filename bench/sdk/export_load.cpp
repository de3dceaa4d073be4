// Makes spans at a given rate and exports them to a real receiver; prints what it cost.
//   export_load <endpoint> <grpc|http|none> <spans> <full|even|ticks> <spans a second>
//               [threads=N] [gzip] [wait] [no-spans]
// full: as fast as it goes; even: evenly spaced, waiting actively; ticks: what is due each
// millisecond, asleep in between, so that the whole process's time is that of the spans.

#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <thread>
#include <vector>

#include "alphaswarm/observability/api/provider.hpp"
#include "alphaswarm/observability/tracing.hpp"

namespace {

namespace otel = alphaswarm::observability;

double seconds(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

enum class Pace : unsigned char { full, even, ticks };

struct Plan {
  long count = 0;
  Pace pace = Pace::full;
  double rate = 0;
  bool spans = true;
};

void sleep_until(double when) {
  timespec at{};
  at.tv_sec = static_cast<time_t>(when);
  at.tv_nsec = static_cast<long>((when - static_cast<double>(at.tv_sec)) * 1e9);
  ::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, nullptr);
}

// Returns the processor seconds of this thread.
double produce(const Plan& plan) {
  const double start = seconds(CLOCK_MONOTONIC);
  const double cpu = seconds(CLOCK_THREAD_CPUTIME_ID);
  const long a_tick = std::max(1L, static_cast<long>(plan.rate / 1000));
  for (long i = 0; i < plan.count; ++i) {
    const double when = start + static_cast<double>(i) / plan.rate;
    if (plan.pace == Pace::even) {
      while (seconds(CLOCK_MONOTONIC) < when) {
      }
    } else if (plan.pace == Pace::ticks && i % a_tick == 0) {
      sleep_until(when);
    }
    if (plan.spans) {
      otel::Span span = otel::span("bench.span", {{"bar", i}, {"symbol", "AAPL"}});
    }
  }
  return seconds(CLOCK_THREAD_CPUTIME_ID) - cpu;
}

double process_cpu() { return seconds(CLOCK_PROCESS_CPUTIME_ID); }

}  // namespace

int main(int argc, char** argv) {
  if (argc < 6) return 2;
  int threads = 1;
  Plan plan;
  const std::string_view pace = argv[4];
  plan.pace = pace == "even" ? Pace::even : pace == "ticks" ? Pace::ticks : Pace::full;
  plan.rate = std::max(1.0, std::atof(argv[5]));
  otel::Config config;
  config.service_name = "bench";
  for (int i = 6; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "gzip") config.gzip = true;
    if (word == "wait") config.on_full_wait = true;
    if (word == "no-spans") plan.spans = false;
    if (word.starts_with("threads=")) threads = std::max(1, std::atoi(argv[i] + 8));
  }
  plan.count = std::atol(argv[3]) / threads;
  plan.rate /= threads;
  if (std::string_view(argv[2]) != "none") config.endpoint = argv[1];
  if (std::string_view(argv[2]) == "http") config.protocol = otel::Protocol::http_protobuf;
  auto tracing = otel::configure_tracing(std::move(config));
  if (!tracing) {
    std::fprintf(stderr, "%s\n", std::string(tracing.error()).c_str());
    return 1;
  }
  const double wall = seconds(CLOCK_MONOTONIC);
  const double cpu_before = process_cpu();
  std::vector<double> made(static_cast<std::size_t>(threads));
  {
    std::vector<std::jthread> running;
    for (double& one : made) running.emplace_back([&] { one = produce(plan); });
  }
  const double made_wall = seconds(CLOCK_MONOTONIC) - wall;
  const bool flushed = tracing.provider().force_flush(60'000);
  const double all_wall = seconds(CLOCK_MONOTONIC) - wall;
  const double cpu = process_cpu() - cpu_before;
  double producers = 0;
  for (const double one : made) producers += one;
  const otel::Stats stats = tracing.provider().stats();
  std::printf(
      "spans %lu exported %lu dropped %lu (no_chunk %lu failed %lu) flushed %d\n"
      "made in %.3f s, exported in %.3f s, %.0f spans/s\n"
      "cpu %.3f s, of it producers %.3f s, exporter %.3f us a span\n",
      stats.started, stats.exported, stats.dropped.total(), stats.dropped.no_chunk,
      stats.dropped.export_failed, flushed ? 1 : 0, made_wall, all_wall,
      static_cast<double>(stats.exported) / all_wall, cpu, producers,
      (cpu - producers) * 1e6 / static_cast<double>(std::max<std::uint64_t>(stats.started, 1)));
  return 0;
}
