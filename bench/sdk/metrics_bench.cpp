// What a measurement costs. With no argument it prints "metric_increment <ns> ns" for run.py; with
// Google Benchmark's flags it is a plain benchmark.

#include <benchmark/benchmark.h>
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <thread>
#include <vector>

#include "alphaswarm/observability/api/provider.hpp"
#include "alphaswarm/observability/api/span.hpp"
#include "alphaswarm/observability/metrics/meter.hpp"

namespace {

namespace observability = alphaswarm::observability;
namespace metrics = alphaswarm::observability::metrics;

metrics::MeterProvider& provider() {
  static const auto kProvider = metrics::MeterProvider::create({}).value();
  return *kProvider;
}

const metrics::BoundCounter<std::int64_t>& counter() {
  static const auto kCounter =
      provider().meter("bench").counter("increments").bind({{"venue", "sim"}});
  return kCounter;
}

void increment(benchmark::State& state) {
  const auto& bound = counter();
  for (auto _ : state) bound.add(1);
}
BENCHMARK(increment)->ThreadRange(1, 2)->UseRealTime();

void increment_in_span(benchmark::State& state) {
  const auto tracing = observability::TracerProvider::create({.service_name = "bench"}).value();
  const auto open =
      observability::span("work", observability::SpanOptions{.provider = tracing.get()});
  const auto& bound = counter();
  for (auto _ : state) bound.add(1);
}
BENCHMARK(increment_in_span);

void increment_double(benchmark::State& state) {
  const auto bound = provider().meter("bench").counter<double>("weights").bind();
  for (auto _ : state) bound.add(0.5);
}
BENCHMARK(increment_double);

void increment_looked_up(benchmark::State& state) {
  const auto looked_up = provider().meter("bench").counter("increments");
  for (auto _ : state) looked_up.add(1, {{"venue", "sim"}});
}
BENCHMARK(increment_looked_up);

void set_gauge(benchmark::State& state) {
  const auto bound = provider().meter("bench").gauge("level").bind();
  for (auto _ : state) bound.set(1);
}
BENCHMARK(set_gauge);

void record_explicit(benchmark::State& state) {
  const auto bound = provider().meter("bench").histogram("sizes").bind();
  double value = 0;
  for (auto _ : state) bound.record(value = value > 9'000 ? 0 : value + 7);
}
BENCHMARK(record_explicit);

void record_exponential(benchmark::State& state) {
  const auto bound = provider()
                         .meter("bench")
                         .histogram("wide", {.kind = metrics::HistogramKind::exponential})
                         .bind();
  double value = 0;
  for (auto _ : state) bound.record(value = value > 9'000 ? 1 : value + 7);
}
BENCHMARK(record_exponential);

// Of the processor's time, and the median of short rounds: the machine has other things to do.
double nanoseconds_an_increment() {
  const auto& bound = counter();
  constexpr int kIncrements = 1'000'000;
  const auto used_ns = [] {
    timespec used{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return static_cast<double>(used.tv_sec) * 1e9 + static_cast<double>(used.tv_nsec);
  };
  std::vector<double> rounds;
  for (int round = 0; round < 21; ++round) {
    const double begin = used_ns();
    for (int i = 0; i < kIncrements; ++i) bound.add(1);
    rounds.push_back((used_ns() - begin) / kIncrements);
  }
  std::ranges::nth_element(rounds, rounds.begin() + 10);
  return rounds[10];
}

}  // namespace

int main(int argc, char** argv) {
  std::jthread([] {}).join();  // a process of one thread gets cheaper reference counts
  if (argc == 1) {
    std::printf("metric_increment %.3f ns\n", nanoseconds_an_increment());
    return 0;
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
