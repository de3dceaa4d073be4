// What a span costs on the thread that makes it, against the floor of floor.hpp. A second thread
// runs from the start: a process without one gets cheaper reference counts and flatters itself.

#include <benchmark/benchmark.h>

#include <chrono>
#include <memory>
#include <thread>

#include "alphaswarm/observability/api/provider.hpp"
#include "alphaswarm/observability/sdk/clock.hpp"
#include "alphaswarm/observability/tracing.hpp"
#include "bench/sdk/floor.hpp"

namespace {

namespace otel = alphaswarm::observability;
using alphaswarm::bench::FloorRecord;
using alphaswarm::bench::FloorRing;

void floor_stamps(benchmark::State& state) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(otel::sdk::ticks());
    benchmark::DoNotOptimize(otel::sdk::ticks());
  }
}

void floor_push(benchmark::State& state) {
  const auto ring = std::make_unique<FloorRing>();
  std::jthread consumer([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      benchmark::DoNotOptimize(ring->pop_all());
      std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
  });
  FloorRecord record{};
  std::uint64_t full = 0;
  for (auto _ : state) {
    record.words[0] = otel::sdk::ticks();
    benchmark::DoNotOptimize(record);
    record.words[1] = otel::sdk::ticks();
    full += ring->push(record) ? 0 : 1;
  }
  state.counters["full"] = static_cast<double>(full);
}

// The provider of the benchmarks: exports into nothing.
otel::TracerProvider& provider(double ratio) {
  const auto make = [](double wanted) {
    auto made = otel::TracerProvider::create({.service_name = "bench", .sample_ratio = wanted});
    return made ? std::move(*made) : nullptr;
  };
  static const auto kAll = make(1.0);
  static const auto kNone = make(0.0);
  return ratio > 0 ? *kAll : *kNone;
}

void count_drops(benchmark::State& state, const otel::Stats& before) {
  const otel::Stats now = provider(1.0).stats();
  if (state.thread_index() == 0) {
    state.counters["dropped"] = static_cast<double>(now.dropped.total() - before.dropped.total());
  }
}

void span_recorded(benchmark::State& state) {
  const otel::Stats before = provider(1.0).stats();
  const otel::SpanOptions options{.provider = &provider(1.0)};
  std::int64_t i = 0;
  for (auto _ : state) {
    otel::Span span = otel::span("bench.span", options, {{"bar", ++i}, {"symbol", "AAPL"}});
    benchmark::DoNotOptimize(span);
  }
  count_drops(state, before);
}

void span_child_recorded(benchmark::State& state) {
  const otel::Stats before = provider(1.0).stats();
  const otel::Span parent = otel::span("bench.parent", {.provider = &provider(1.0)});
  std::int64_t i = 0;
  for (auto _ : state) {
    otel::Span span = otel::span("bench.span", {{"bar", ++i}, {"symbol", "AAPL"}});
    benchmark::DoNotOptimize(span);
  }
  count_drops(state, before);
}

void span_set_twice(benchmark::State& state) {
  const otel::Span parent = otel::span("bench.parent", {.provider = &provider(1.0)});
  std::int64_t i = 0;
  for (auto _ : state) {
    otel::Span span = otel::span("bench.span");
    span.set("bar", ++i).set("symbol", "AAPL");
  }
}

void span_ratio_zero(benchmark::State& state) {
  const otel::SpanOptions options{.provider = &provider(0.0)};
  std::int64_t i = 0;
  for (auto _ : state) {
    otel::Span span = otel::span("bench.span", options, {{"bar", ++i}, {"symbol", "AAPL"}});
    benchmark::DoNotOptimize(span);
  }
}

void span_unsampled_child(benchmark::State& state) {
  const otel::Span parent = otel::span("bench.parent", {.provider = &provider(0.0)});
  std::int64_t i = 0;
  for (auto _ : state) {
    otel::Span span = otel::span("bench.span", {{"bar", ++i}, {"symbol", "AAPL"}});
    benchmark::DoNotOptimize(span);
  }
}

void bare_call(benchmark::State& state) {
  std::int64_t i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(++i);
}

void span_disabled(benchmark::State& state) {
  std::int64_t i = 0;
  for (auto _ : state) {
    otel::Span span = otel::span("bench.span", {{"bar", ++i}, {"symbol", "AAPL"}});
    benchmark::DoNotOptimize(i);
  }
}

BENCHMARK(bare_call);
BENCHMARK(span_disabled);  // before any provider is made
BENCHMARK(floor_stamps);
BENCHMARK(floor_push)->Threads(1)->Threads(2)->UseRealTime();
BENCHMARK(span_recorded)->Threads(1)->Threads(2)->UseRealTime();
BENCHMARK(span_child_recorded)->Threads(1)->Threads(2)->UseRealTime();
BENCHMARK(span_set_twice)->UseRealTime();
BENCHMARK(span_ratio_zero)->Threads(1)->Threads(2)->UseRealTime();
BENCHMARK(span_unsampled_child)->Threads(1)->Threads(2)->UseRealTime();

}  // namespace

int main(int argc, char** argv) {
  const std::jthread second([](const std::stop_token& stop) {
    while (!stop.stop_requested()) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  });
  ::benchmark::Initialize(&argc, argv);
  ::benchmark::RunSpecifiedBenchmarks();
  return 0;
}
