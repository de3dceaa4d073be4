#pragma once

// The event loop over history. At each time step: orders of earlier steps meet this step's bars,
// the decision loop sees the bars and decides, its orders pass the risk gate and wait for the next
// step, the account is marked to market.

#include <boost/json/fwd.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "alphaswarm/observability/api/span.hpp"
#include "alphaswarm/trading/backtest/config.hpp"
#include "alphaswarm/trading/backtest/dataset.hpp"
#include "alphaswarm/trading/backtest/metrics.hpp"
#include "alphaswarm/trading/strategy/decision_loop.hpp"

namespace alphaswarm::trading {

struct CurvePoint {
  UnixNanos time;
  Money equity;         // at the close
  double drawdown = 0;  // below the peak so far, a fraction
};

struct BacktestResult {
  std::string id;  // of the run; a UUID
  BacktestConfig config;
  std::vector<VtSymbol> symbols;
  std::int64_t bars_count = 0;  // of all symbols, as far as the run went
  UnixNanos start, end;         // first and last bar
  Money final_equity;
  Money realised;  // after commissions
  Metrics metrics;
  std::string dataset_hash;
  std::vector<CurvePoint> curve;  // one point a time step
  std::vector<Order> orders;      // as submitted, with what became of them
  std::vector<Fill> fills;
  std::vector<LedgerLine> ledger;
  std::int64_t refused = 0;  // orders the risk gate held back
};

struct BacktestOptions {
  std::string run_id{};     // empty: a random UUID
  bool keep_ledger = true;  // lines for every signal, order, fill and refusal
};

// A run that is played piece by piece, so that its caller can report progress, stop it or let
// others work in between. Not thread-safe.
class Backtest {
 public:
  // `dataset` must be normalised; bars outside the config's start and end are skipped, and if its
  // universe is not empty, so are other symbols. Errors: invalid_argument for an impossible config,
  // not_found if no bar remains or a symbol of the universe has none.
  [[nodiscard]] static Result<Backtest> create(const BacktestConfig& config, const Dataset& dataset,
                                               const BacktestOptions& options = {});
  Backtest(Backtest&&) noexcept;
  Backtest& operator=(Backtest&&) noexcept;
  ~Backtest();

  // Plays up to `steps` time steps; false when the run is over.
  bool play(std::int64_t steps);
  [[nodiscard]] std::int64_t done_steps() const noexcept;
  [[nodiscard]] std::int64_t all_steps() const noexcept;
  [[nodiscard]] std::int64_t bars_count() const noexcept;  // of the selected data
  [[nodiscard]] const std::string& id() const noexcept;

  // Once, at the end (or earlier: then of what was played). At least one step must be played.
  [[nodiscard]] BacktestResult finish();

 private:
  struct Impl;
  explicit Backtest(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

inline constexpr std::string_view kBacktestEngine = "event_driven";

// The span `backtest.run`, current until it ends.
[[nodiscard]] observability::Span start_backtest_span(const BacktestConfig& config);

// A whole run, within a span `backtest.run`. Errors: as Backtest::create.
[[nodiscard]] Result<BacktestResult> run_backtest(const BacktestConfig& config,
                                                  const Dataset& dataset,
                                                  const BacktestOptions& options = {});

// The part of `dataset` the config asks for.
[[nodiscard]] Result<Dataset> select_bars(const BacktestConfig& config, const Dataset& dataset);

// Amounts are texts (exact), ratios numbers or null. `with_curve` adds "equity_curve", a list of
// [time, equity, drawdown].
[[nodiscard]] boost::json::object to_json(const BacktestResult& result, bool with_curve);

}  // namespace alphaswarm::trading
