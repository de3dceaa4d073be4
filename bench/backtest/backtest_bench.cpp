// The engine of `backtest.run` over minute bars of one made-up symbol, always the same ones.
//   backtest_bench [bars = 200000] [runs = 5] [ledger: 1 (as backtest.run) or 0]
// Prints, for each run, the wall and CPU time of the whole (selection and hash of the data, every
// bar, metrics) and of the bars alone, then what came out, so that two builds can be compared, and
//   <name> <value> <unit> must <op> <bound> ok|SHORT
// of the best run; exits 1 if it is short.

#include <time.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <cstdio>
#include <cstdlib>

#include "alphaswarm/trading/backtest/engine.hpp"
#include "bench/must.hpp"

namespace {

using namespace alphaswarm;           // NOLINT
using namespace alphaswarm::trading;  // NOLINT

constexpr const char* kConfig = R"({
  "session": {"run_name": "bench", "initial_cash": 1000000},
  "strategy": {"name": "ema_cross", "params": {"fast": 10, "slow": 20, "allow_short": true,
               "position_pct": 0.01}},
  "feed": {"params": {"interval": "1m"}},
  "risk": {"max_drawdown_pct": 1, "max_daily_loss_pct": 1}
})";

// A walk in whole cents that is drawn back to 100.00, 390 bars a day, by integers only: the same
// bars on every machine.
Dataset make_bars(std::int64_t count) {
  constexpr std::int64_t kMinute = 60'000'000'000;
  constexpr std::int64_t kCent = Decimal::kScale / 100;
  std::uint64_t random = 0x9e3779b97f4a7c15;
  const auto next = [&random](std::int64_t bound) {  // 0 to bound − 1
    random ^= random << 13U;
    random ^= random >> 7U;
    random ^= random << 17U;
    return static_cast<std::int64_t>((random >> 33U) % static_cast<std::uint64_t>(bound));
  };
  Series series{.symbol = *VtSymbol::parse("BENCH.SIM"), .bars = {}};
  series.bars.reserve(static_cast<std::size_t>(count));
  std::int64_t price = 10'000;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t open = price + next(5) - 2;
    price = open + next(41) - 20 + (10'000 - open) / 200;
    const auto amount = [](std::int64_t cents) {
      return Price(Decimal::from_units(cents * kCent));
    };
    const std::int64_t minute = (i / 390) * 1440 + 870 + i % 390;
    series.bars.push_back({.timestamp = {minute * kMinute},
                           .open = amount(open),
                           .high = amount(std::max(open, price) + next(8)),
                           .low = amount(std::min(open, price) - next(8)),
                           .close = amount(price),
                           .volume = Quantity(Decimal::from_integer(100 + next(5'000)))});
  }
  return {.interval = Interval::minute, .series = {std::move(series)}};
}

double seconds(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

}  // namespace

int main(int argc, char** argv) {
  const std::int64_t bars = argc > 1 ? std::atoll(argv[1]) : 200'000;
  const int runs = argc > 2 ? std::atoi(argv[2]) : 5;
  const bool ledger = argc <= 3 || std::atoi(argv[3]) != 0;
  const Dataset dataset = make_bars(bars);
  const Result<BacktestConfig> config =
      parse_backtest_config(boost::json::parse(kConfig).as_object());
  if (!config) {
    std::fprintf(stderr, "%s\n", config.error().message.c_str());
    return 1;
  }
  double best = 0;  // what else the machine does is no fault of the engine's
  for (int run = 0; run < runs; ++run) {
    const double wall = seconds(CLOCK_MONOTONIC);
    const double cpu = seconds(CLOCK_THREAD_CPUTIME_ID);
    Result<Backtest> backtest =
        Backtest::create(*config, dataset, {.run_id = "bench", .keep_ledger = ledger});
    if (!backtest) {
      std::fprintf(stderr, "%s\n", backtest.error().message.c_str());
      return 1;
    }
    const double before = seconds(CLOCK_THREAD_CPUTIME_ID);
    (void)backtest->play(bars);
    const double after = seconds(CLOCK_THREAD_CPUTIME_ID);
    const BacktestResult result = backtest->finish();
    const double wall_all = seconds(CLOCK_MONOTONIC) - wall;
    const double cpu_all = seconds(CLOCK_THREAD_CPUTIME_ID) - cpu;
    const auto rate = [bars](double time) { return static_cast<double>(bars) / time / 1e6; };
    best = std::max(best, rate(wall_all));
    std::printf(
        "whole %.1f ms wall, %.1f ms cpu, %.3f M bars/s; bars alone %.1f ms cpu, %.3f M/s\n",
        wall_all * 1e3, cpu_all * 1e3, rate(wall_all), (after - before) * 1e3,
        rate(after - before));
    if (run + 1 == runs) {
      std::printf(
          "%lld bars, %zu orders, %zu fills, %lld refused, %zu ledger lines, "
          "%zu points of equity, final equity %s, data %s\n",
          static_cast<long long>(result.bars_count), result.orders.size(), result.fills.size(),
          static_cast<long long>(result.refused), result.ledger.size(), result.curve.size(),
          result.final_equity.to_string().c_str(), result.dataset_hash.substr(0, 16).c_str());
    }
  }
  return bench::at_least("backtest_whole", best, "M_bars/s", 1) ? 0 : 1;
}
