// Makes spans at a given rate and exports them to a real receiver; prints what it cost.
//   export_load <endpoint> <grpc|http|none> <spans> <spans a second, 0: as fast as it goes>
//               [threads] [gzip] [wait]

#include <sys/resource.h>
#include <time.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <thread>
#include <vector>

#include "alphaswarm/observability/tracing.hpp"

namespace {

namespace otel = alphaswarm::observability;

double seconds(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

struct Made {
  double cpu = 0;
};

void produce(long count, double rate, bool with_spans, Made& made) {
  const double start = seconds(CLOCK_MONOTONIC);
  const double cpu = seconds(CLOCK_THREAD_CPUTIME_ID);
  for (long i = 0; i < count; ++i) {
    if (rate > 0) {
      while (seconds(CLOCK_MONOTONIC) < start + static_cast<double>(i) / rate) {
      }
    }
    if (with_spans) {
      otel::Span span = otel::span("bench.span", {{"bar", i}, {"symbol", "AAPL"}});
    }
  }
  made.cpu = seconds(CLOCK_THREAD_CPUTIME_ID) - cpu;
}

double process_cpu() { return seconds(CLOCK_PROCESS_CPUTIME_ID); }

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) return 2;
  const long count = std::atol(argv[3]);
  const double rate = std::atof(argv[4]);
  const int threads = argc > 5 ? std::max(1, std::atoi(argv[5])) : 1;
  otel::Config config;
  config.service_name = "bench";
  for (int i = 6; i < argc; ++i) {
    if (std::string_view(argv[i]) == "gzip") config.gzip = true;
    if (std::string_view(argv[i]) == "wait") config.on_full_wait = true;
  }
  if (std::string_view(argv[2]) != "none") config.endpoint = argv[1];
  if (std::string_view(argv[2]) == "http") config.protocol = otel::Protocol::http_protobuf;
  auto tracing = otel::configure_tracing(config);
  if (!tracing) {
    std::fprintf(stderr, "%s\n", tracing.error().message.c_str());
    return 1;
  }
  const double wall = seconds(CLOCK_MONOTONIC);
  const double cpu_before = process_cpu();
  std::vector<Made> made(static_cast<std::size_t>(threads));
  {
    std::vector<std::jthread> running;
    for (Made& one : made) {
      running.emplace_back([&] { produce(count / threads, rate / threads, true, one); });
    }
  }
  const double made_wall = seconds(CLOCK_MONOTONIC) - wall;
  const bool flushed = tracing->provider().force_flush(60'000);
  const double all_wall = seconds(CLOCK_MONOTONIC) - wall;
  const double cpu = process_cpu() - cpu_before;
  double producers = 0;
  for (const Made& one : made) producers += one.cpu;
  const otel::Stats stats = tracing->provider().stats();
  std::printf(
      "spans %lu exported %lu dropped %lu (no_chunk %lu failed %lu) flushed %d\n"
      "made in %.3f s, exported in %.3f s, %.0f spans/s\n"
      "cpu %.3f s, of it producers %.3f s, exporter %.3f us a span\n",
      stats.started, stats.exported, stats.dropped.total(), stats.dropped.no_chunk,
      stats.dropped.export_failed, flushed ? 1 : 0, made_wall, all_wall,
      static_cast<double>(stats.exported) / all_wall, cpu, producers,
      (cpu - producers) * 1e6 / static_cast<double>(stats.started));
  return 0;
}
