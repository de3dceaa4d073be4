// What spans cost the thread that makes them, as "<name> <value> <unit>" lines for run.py. Every
// kernel runs in many short rounds, one after the other, so that what disturbs the machine
// disturbs all of them; a value is the median of its rounds.
//   sdk_numbers hot | paced | drops | lossless

#include <pthread.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <barrier>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <initializer_list>
#include <new>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "alphaswarm/observability/api/prepared_attributes.hpp"
#include "alphaswarm/observability/api/provider.hpp"
#include "alphaswarm/observability/export/batch_sink.hpp"
#include "alphaswarm/observability/sdk/clock.hpp"
#include "alphaswarm/observability/tracing.hpp"
#include "bench/sdk/floor.hpp"

extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
}

namespace {
thread_local constinit std::uint64_t allocations = 0;  // of this thread, by any way
}
extern "C" {
void* malloc(std::size_t size) {
  ++allocations;
  return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) {
  ++allocations;
  return __libc_calloc(count, size);
}
void* realloc(void* old, std::size_t size) {
  ++allocations;
  return __libc_realloc(old, size);
}
}

namespace {

namespace otel = alphaswarm::observability;
using alphaswarm::bench::FloorRecord;
using alphaswarm::bench::FloorRing;
using std::chrono::microseconds;

template <class T>
inline void keep(T& value) {
  asm volatile("" : "+m"(value) : : "memory");
}

double now_ns(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

void print(std::string_view name, double value, std::string_view unit) {
  std::printf("%.*s %.3f %.*s\n", static_cast<int>(name.size()), name.data(), value,
              static_cast<int>(unit.size()), unit.data());
}

class Discard final : public otel::BatchSink {
 public:
  otel::SinkResult send(const otel::Batch&, std::chrono::milliseconds) override { return {}; }
};

std::unique_ptr<otel::TracerProvider> make_provider(otel::Config config) {
  config.service_name = "bench";
  config.sink = std::make_shared<Discard>();
  auto made = otel::TracerProvider::create(std::move(config));
  if (!made) std::abort();
  return std::move(*made);
}

// `count` operations; a kernel is run by several threads at once.
using Kernel = std::function<void(long count, int thread)>;

void one_span(std::int64_t i) {
  otel::Span span = otel::span("bench.span", {{"bar", i}, {"symbol", "AAPL"}});
  keep(span);
}

// Nanoseconds of processor time an operation, the mean of the threads.
double time_of(const Kernel& kernel, int threads, long count) {
  std::vector<double> spent(static_cast<std::size_t>(threads));
  std::barrier<> together(threads);
  const auto run = [&](int thread) {
    kernel(100, thread);
    together.arrive_and_wait();
    const double begin = now_ns(CLOCK_THREAD_CPUTIME_ID);
    kernel(count, thread);
    spent[static_cast<std::size_t>(thread)] = now_ns(CLOCK_THREAD_CPUTIME_ID) - begin;
  };
  {
    std::vector<std::jthread> others;
    for (int i = 1; i < threads; ++i) others.emplace_back(run, i);
    run(0);
  }
  double sum = 0;
  for (const double one : spent) sum += one;
  return sum / static_cast<double>(threads) / static_cast<double>(count);
}

struct Row {
  const char* name;
  Kernel kernel;
  int threads;
  long count;
  std::vector<double> rounds = {};
};

// The rings of the floor, one a thread, and what empties them.
struct Floor {
  FloorRing rings[2];
  std::atomic<std::uint64_t> full{0};
  std::jthread consumer{[this](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      std::uint64_t sum = rings[0].pop_all() + rings[1].pop_all();
      keep(sum);
      std::this_thread::sleep_for(microseconds(100));
    }
  }};

  // Nothing is pushed meanwhile.
  void empty() {
    for (const FloorRing& ring : rings) {
      while (!ring.is_empty()) std::this_thread::sleep_for(microseconds(50));
    }
  }

  void push(long count, int thread) {
    FloorRecord record{};
    FloorRing& ring = rings[thread];
    std::uint64_t missed = 0;
    for (long i = 0; i < count; ++i) {
      record.words[0] = otel::sdk::ticks();
      keep(record);
      record.words[1] = otel::sdk::ticks();
      missed += ring.push(record) ? 0 : 1;
    }
    full.fetch_add(missed, std::memory_order_relaxed);
  }
};

[[gnu::noinline]] long work(long value) {
  keep(value);
  return value + 1;
}

// Before any provider is made. The bare call is what traced() wraps; a span with attributes is also
// told, for which their list is laid out before anybody knows that nobody wants it.
void disabled() {
  const auto call = otel::traced("work", [](long value) { return work(value); });
  const Kernel bare = [](long count, int) {
    for (long i = 0; i < count; ++i) i = work(i) - 1;
  };
  const Kernel traced = [&](long count, int) {
    for (long i = 0; i < count; ++i) i = call(i) - 1;
  };
  const Kernel with_span = [](long count, int) {
    for (long i = 0; i < count; ++i) {
      const otel::Span span = otel::span("bench.span", {{"bar", i}, {"symbol", "AAPL"}});
      i = work(i) - 1;
    }
  };
  std::vector<double> bare_ns;
  std::vector<double> traced_ns;
  std::vector<double> span_ns;
  for (int i = 0; i < 31; ++i) {
    bare_ns.push_back(time_of(bare, 1, 1'000'000));
    traced_ns.push_back(time_of(traced, 1, 1'000'000));
    span_ns.push_back(time_of(with_span, 1, 1'000'000));
  }
  print("disabled_extra", median(traced_ns) - median(bare_ns), "ns");
  print("disabled_span_extra", median(span_ns) - median(bare_ns), "ns");
}

// What spans of a server or a client have in common, and one attribute of their own.
constexpr std::initializer_list<otel::Attribute> kCommon = {{"url.scheme", "http"},
                                                            {"server.address", "127.0.0.1"},
                                                            {"server.port", 8000},
                                                            {"client.address", "127.0.0.1"},
                                                            {"client.port", 40000},
                                                            {"network.protocol.version", "1.1"},
                                                            {"user_agent.original", "curl/8"},
                                                            {"http.route", "/health"},
                                                            {"http.request.method", "GET"}};

void ten_listed(long count, int) {
  for (long i = 0; i < count; ++i) otel::span("bench.span").set(kCommon).set("bar", i);
}
void ten_prepared(long count, int) {
  static const otel::PreparedAttributes kPrepared(kCommon);
  for (long i = 0; i < count; ++i) otel::span("bench.span").set(kPrepared).set("bar", i);
}

void hot() {
  const Kernel spans = [](long count, int) {
    for (long i = 0; i < count; ++i) one_span(i);
  };
  disabled();
  const auto all = make_provider({});
  const auto none = make_provider({.sample_ratio = 0.0});
  const auto recorder = make_provider({.sample_ratio = 0.0, .flight_recorder_bytes = 8U << 20U});
  Floor floor;
  const Kernel below_unsampled = [&](long count, int) {
    const otel::Span parent = otel::span("bench.parent", {.provider = none.get()});
    for (long i = 0; i < count; ++i) one_span(i);
  };
  const auto rooted = [](otel::TracerProvider& provider, const Kernel& kernel) {
    return [&provider, kernel](long count, int thread) {
      provider.install_as_default();
      kernel(count, thread);
    };
  };
  const Kernel push = [&](long count, int thread) { floor.push(count, thread); };
  // So few that the rings never fill and the pool of chunks always has room: a push that finds no
  // room copies nothing, and a dropped span is not encoded, so that either would flatter its side.
  constexpr long kCount = 40'000;
  static_assert(kCount + 100 < FloorRing::kSlots);
  Row rows[] = {{"floor_1", push, 1, kCount},
                {"span_1", rooted(*all, spans), 1, kCount},
                {"child_unsampled", below_unsampled, 1, kCount},
                {"ratio_zero", rooted(*none, spans), 1, kCount},
                {"flight_recorder", rooted(*recorder, spans), 1, kCount},
                {"floor_2", push, 2, kCount},
                {"span_2", rooted(*all, spans), 2, kCount},
                {"ten_attributes", rooted(*all, ten_listed), 1, kCount},
                {"ten_prepared", rooted(*all, ten_prepared), 1, kCount}};
  for (int round = 0; round < 151; ++round) {
    for (Row& row : rows) {
      row.rounds.push_back(time_of(row.kernel, row.threads, row.count));
      floor.empty();
      if (!all->force_flush(10'000) || !recorder->force_flush(10'000)) std::abort();
    }
  }
  for (const Row& row : rows) print(row.name, median(row.rounds), "ns");
  print("dropped_in_hot_rows", static_cast<double>(all->stats().dropped.total()), "spans");
  print("floor_full", static_cast<double>(floor.full.load()), "pushes");
  const otel::Stats before_full_speed = all->stats();
  static_cast<void>(time_of(rooted(*all, spans), 2, 5'000'000));
  if (!all->force_flush(10'000)) std::abort();
  const otel::Stats stats = all->stats();
  print("dropped_at_full_speed",
        100.0 * static_cast<double>(stats.dropped.total() - before_full_speed.dropped.total()) /
            static_cast<double>(stats.started - before_full_speed.started),
        "%");
  all->install_as_default();
  spans(100'000, 0);
  const std::uint64_t before = allocations;
  spans(1'000'000, 0);
  print("allocations", static_cast<double>(allocations - before), "in_1M_spans");
}

// Calls `work` at an even rate, waiting actively.
template <class Work>
void evenly(long count, double interval_ns, Work work) {
  const double begin = now_ns(CLOCK_MONOTONIC);
  for (long i = 0; i < count; ++i) {
    while (now_ns(CLOCK_MONOTONIC) < begin + static_cast<double>(i) * interval_ns) {
    }
    work(i);
  }
}

void paced() {
  const auto provider = make_provider({});
  provider->install_as_default();
  std::vector<double> p99;
  std::vector<double> p999;
  for (int round = 0; round < 5; ++round) {
    std::vector<double> took;
    took.reserve(300'000);
    evenly(300'000, 10'000, [&](long i) {
      const std::uint64_t begin = otel::sdk::ticks();
      one_span(i);
      took.push_back(static_cast<double>(otel::sdk::ticks() - begin));
    });
    std::ranges::sort(took);
    const double half = took[took.size() / 2];
    p99.push_back(took[took.size() * 99 / 100] / half);
    p999.push_back(took[took.size() * 999 / 1000] / half);
  }
  print("paced_p999_to_median", median(p999), "x");
  print("paced_p99_to_median", median(p99), "x");
}

void drops() {
  for (const int threads : {1, 2}) {
    const auto provider = make_provider({});
    provider->install_as_default();
    {
      std::vector<std::jthread> running;
      for (int i = 0; i < threads; ++i)
        running.emplace_back([] { evenly(2'000'000, 1'000, one_span); });
    }
    if (!provider->force_flush(10'000)) std::abort();
    print("dropped_1M_" + std::to_string(threads),
          static_cast<double>(provider->stats().dropped.total()), "spans");
  }
}

void lossless() {
  const auto provider = make_provider({.on_full_wait = true});
  provider->install_as_default();
  constexpr long kCount = 10'000'000;
  const double begin = now_ns(CLOCK_MONOTONIC);
  for (long i = 0; i < kCount; ++i) one_span(i);
  if (!provider->force_flush(60'000)) std::abort();
  const double took = now_ns(CLOCK_MONOTONIC) - begin;
  if (provider->stats().exported != kCount) std::abort();
  print("lossless", static_cast<double>(kCount) * 1e3 / took, "M_spans/s");
}

}  // namespace

int main(int argc, char** argv) {
  const std::jthread second([](const std::stop_token& stop) {  // see run.py
    while (!stop.stop_requested()) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  });
  const std::string_view what = argc > 1 ? argv[1] : "";
  if (what == "hot") hot();
  if (what == "paced") paced();
  if (what == "drops") drops();
  if (what == "lossless") lossless();
  return 0;
}
