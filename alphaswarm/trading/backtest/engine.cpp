#include "alphaswarm/trading/backtest/engine.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "alphaswarm/base/ids.hpp"
#include "alphaswarm/observability/tracing.hpp"
#include "alphaswarm/trading/matching/engine.hpp"

namespace alphaswarm::trading {
namespace {

namespace otel = alphaswarm::observability;

// One run: the account at the venue, the decisions, and what is written down.
class Run {
 public:
  Run(MatchingEngine engine, DecisionLoop loop, BacktestResult& result)
      : engine_(std::move(engine)), loop_(std::move(loop)), result_(result) {}

  void step(UnixNanos time, std::span<const SymbolBar> bars) {
    for (const OrderUpdate& update : engine_.advance(bars)) {
      if (update.fill) {
        loop_.on_fill(*update.fill);
        result_.fills.push_back(*update.fill);
      } else {
        loop_.on_order_closed(update.order.request.client_id, update.order.status,
                              update.order.reason, time);
      }
    }
    for (const Decision& decision : loop_.on_bars(time, bars)) place(decision, time);
    const RiskMonitor::State& state = loop_.monitor().state();
    const double peak = state.peak.to_double();
    result_.curve.push_back({.time = time,
                             .equity = state.equity,
                             .drawdown = (peak - state.equity.to_double()) / peak});
    result_.bars_count += static_cast<std::int64_t>(bars.size());
  }

  void finish() {
    result_.orders = engine_.orders();
    result_.ledger = loop_.take_ledger();
    result_.final_equity = loop_.equity();
    result_.realised = loop_.portfolio().realised();
    result_.start = result_.curve.front().time;
    result_.end = result_.curve.back().time;
    std::vector<double> equity;
    equity.reserve(result_.curve.size());
    for (const CurvePoint& point : result_.curve) equity.push_back(point.equity.to_double());
    double traded = 0;
    for (const Fill& fill : result_.fills) traded += (fill.price * fill.quantity).to_double();
    result_.metrics = compute_metrics({.initial_cash = result_.config.matching.initial_cash,
                                       .equity = equity,
                                       .traded_value = traded,
                                       .interval = result_.config.matching.interval});
  }

 private:
  void place(const Decision& decision, UnixNanos time) {
    if (!loop_.check(decision).allowed()) {
      ++result_.refused;
      return;
    }
    const Result<Order> order = engine_.submit(decision.order, time);
    if (!order) {
      loop_.on_refused(decision, order.error().message);
    } else if (is_final(order->status)) {
      loop_.on_refused(decision, order->reason);
    } else {
      loop_.on_submitted(decision);
    }
  }

  MatchingEngine engine_;
  DecisionLoop loop_;
  BacktestResult& result_;  // NOLINT: the run's own caller keeps it
};

std::int64_t count_steps(const Dataset& dataset) {
  if (dataset.series.size() == 1) return std::ssize(dataset.series.front().bars);
  std::int64_t count = 0;
  for (TimeSteps steps(dataset); steps.next();) ++count;
  return count;
}

Result<Run> prepare(const BacktestOptions& options, BacktestResult& result) {
  const BacktestConfig& config = result.config;
  Result<std::unique_ptr<Strategy>> strategy =
      make_strategy(config.strategy, config.strategy_params);
  if (!strategy) return std::unexpected(strategy.error());
  MatchingConfig matching = config.matching;
  matching.allow_short = (*strategy)->sizing().allow_short;
  Result<MatchingEngine> engine = MatchingEngine::create(matching);
  if (!engine) return std::unexpected(engine.error());
  Result<DecisionLoop> loop = DecisionLoop::create({.run_id = result.id,
                                                    .initial_cash = matching.initial_cash,
                                                    .risk = config.risk,
                                                    .history_window = config.history_window_bars,
                                                    .keep_ledger = options.keep_ledger},
                                                   std::move(*strategy));
  if (!loop) return std::unexpected(loop.error());
  return Run(std::move(*engine), std::move(*loop), result);
}

}  // namespace

// What a run refers to stays at one address while the Backtest moves.
struct Backtest::Impl {
  explicit Impl(Dataset selected) : dataset(std::move(selected)), steps(dataset) {}

  Dataset dataset;
  TimeSteps steps;
  BacktestResult result;
  std::optional<Run> run;
  std::int64_t done = 0;
  std::int64_t all = 0;
};

Backtest::Backtest(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Backtest::Backtest(Backtest&&) noexcept = default;
Backtest& Backtest::operator=(Backtest&&) noexcept = default;
Backtest::~Backtest() = default;

Result<Backtest> Backtest::create(const BacktestConfig& config, const Dataset& dataset,
                                  const BacktestOptions& options) {
  Result<Dataset> selected = select_bars(config, dataset);
  if (!selected) return std::unexpected(selected.error());
  auto impl = std::make_unique<Impl>(std::move(*selected));
  BacktestResult& result = impl->result;
  result.id = options.run_id.empty() ? random_uuid() : options.run_id;
  result.config = config;
  for (const Series& one : impl->dataset.series) result.symbols.push_back(one.symbol);
  result.dataset_hash = dataset_sha256(impl->dataset);
  const std::int64_t steps = count_steps(impl->dataset);
  impl->all = std::min(steps, config.max_bars.value_or(steps));
  result.curve.reserve(static_cast<std::size_t>(impl->all));
  Result<Run> run = prepare(options, result);
  if (!run) return std::unexpected(run.error());
  impl->run.emplace(std::move(*run));
  return Backtest(std::move(impl));
}

bool Backtest::play(std::int64_t steps) {
  for (; steps > 0; --steps) {
    if (impl_->done == impl_->all || !impl_->steps.next()) return false;
    impl_->run->step(impl_->steps.time(), impl_->steps.bars());
    ++impl_->done;
  }
  return true;
}

std::int64_t Backtest::done_steps() const noexcept { return impl_->done; }
std::int64_t Backtest::all_steps() const noexcept { return impl_->all; }
std::int64_t Backtest::bars_count() const noexcept {
  return static_cast<std::int64_t>(impl_->dataset.bars_count());
}
const std::string& Backtest::id() const noexcept { return impl_->result.id; }

BacktestResult Backtest::finish() {
  impl_->run->finish();
  return std::move(impl_->result);
}

Result<Dataset> select_bars(const BacktestConfig& config, const Dataset& dataset) {
  if (dataset.interval != config.matching.interval) {
    return fail(ErrorCode::invalid_argument, "the data has interval " +
                                                 std::string(to_string(dataset.interval)) +
                                                 ", the configuration asks for " +
                                                 std::string(to_string(config.matching.interval)));
  }
  Dataset selected{.interval = dataset.interval, .series = {}};
  for (const Series& one : dataset.series) {
    if (!config.universe.empty() &&
        std::ranges::find(config.universe, one.symbol) == config.universe.end()) {
      continue;
    }
    const auto first = std::ranges::lower_bound(one.bars, config.start, {}, &Bar::timestamp);
    const auto last = std::ranges::lower_bound(one.bars, config.end, {}, &Bar::timestamp);
    if (first != last) selected.series.push_back({.symbol = one.symbol, .bars = {first, last}});
  }
  for (const VtSymbol& symbol : config.universe) {
    if (std::ranges::find(selected.series, symbol, &Series::symbol) != selected.series.end()) {
      continue;
    }
    return fail(ErrorCode::not_found, "there are no " + std::string(to_string(dataset.interval)) +
                                          " bars of " + symbol.text() +
                                          " in the time asked for; ingest them first");
  }
  if (selected.series.empty()) {
    return fail(ErrorCode::not_found, "there are no bars in the time asked for");
  }
  return selected;
}

otel::Span start_backtest_span(const BacktestConfig& config) {
  return otel::span("backtest.run",
                    {{"backtest.engine", kBacktestEngine},
                     {"backtest.strategy", config.strategy},
                     {"backtest.initial_cash", config.matching.initial_cash.to_double()}});
}

Result<BacktestResult> run_backtest(const BacktestConfig& config, const Dataset& dataset,
                                    const BacktestOptions& options) {
  otel::Span span = start_backtest_span(config);
  Result<Backtest> backtest = Backtest::create(config, dataset, options);
  if (!backtest) {
    span.error(backtest.error().message);
    return std::unexpected(backtest.error());
  }
  span.set("backtest.bars_count", backtest->bars_count());
  (void)backtest->play(backtest->all_steps());
  return backtest->finish();
}

}  // namespace alphaswarm::trading
