#include <algorithm>
#include <utility>

#include "alphaswarm/trading/strategy/strategies.hpp"

namespace alphaswarm::trading::detail {
namespace {

struct Ranked {
  std::size_t index;
  double momentum;  // close / close `lookback` bars ago − 1
};

// Holds the top `quantile` (0.3; at least one symbol) of the universe by return over `lookback`
// (90) bars, chosen anew every `rebalance` (21) bars, first at bar lookback + 1. A symbol alone is
// held while its return is above 0. Equal returns rank by symbol. With allow_short the bottom
// quantile is sold short, where it does not overlap the top.
class Momentum final : public Strategy {
 public:
  struct Options {
    std::size_t lookback;
    std::int64_t rebalance;
    double quantile;
  };
  Momentum(const Options& options, const SizingConfig& sizing)
      : Strategy(sizing), options_(options) {}

  std::string_view name() const noexcept override { return "momentum"; }
  std::size_t required_history() const noexcept override { return options_.lookback + 1; }

  void on_bar(const Slice& slice, std::vector<Signal>& signals) override {
    std::int64_t bars = 0;
    for (const SymbolView& view : slice.symbols) bars = std::max(bars, view.bars_seen);
    const std::int64_t since = bars - static_cast<std::int64_t>(options_.lookback) - 1;
    if (since < 0 || since % options_.rebalance != 0) return;
    rank(slice);
    const std::size_t count = ranked_.size();
    const auto share = static_cast<std::size_t>(static_cast<double>(count) * options_.quantile);
    const std::size_t wanted = std::max<std::size_t>(share, 1);
    for (std::size_t place = 0; place < count; ++place) {
      const Ranked& one = ranked_[place];
      const bool alone = count == 1;
      const bool top = alone ? one.momentum > 0 : place < wanted;
      const bool bottom =
          sizing().allow_short && (alone ? one.momentum < 0 : !top && place + wanted >= count);
      turn(slice.symbols[one.index], one, top, bottom, signals);
    }
  }

 private:
  void rank(const Slice& slice) {
    ranked_.clear();
    for (std::size_t i = 0; i < slice.symbols.size(); ++i) {
      const std::span<const double> closes = slice.symbols[i].closes;
      if (closes.size() <= options_.lookback) continue;
      const double then = closes[closes.size() - 1 - options_.lookback];
      ranked_.push_back({.index = i, .momentum = closes.back() / then - 1.0});
    }
    std::ranges::sort(ranked_, [](const Ranked& a, const Ranked& b) {
      return a.momentum != b.momentum ? a.momentum > b.momentum : a.index < b.index;
    });
  }

  static void turn(const SymbolView& view, const Ranked& one, bool top, bool bottom,
                   std::vector<Signal>& signals) {
    const auto say = [&](SignalKind kind) {
      signals.push_back({.symbol_index = one.index, .kind = kind, .score = one.momentum});
    };
    const bool is_long = view.position.is_positive();
    const bool is_short = view.position.is_negative();
    if ((is_long && !top) || (is_short && !bottom)) say(SignalKind::leave);
    if (top && !is_long) say(SignalKind::enter_long);
    if (bottom && !is_short) say(SignalKind::enter_short);
  }

  Options options_;
  std::vector<Ranked> ranked_;  // kept only to reuse its memory
};

}  // namespace

std::unique_ptr<Strategy> make_momentum(Params& params, const SizingConfig& sizing) {
  const Momentum::Options options{
      .lookback = static_cast<std::size_t>(
          params.integer("lookback", 90, {.low = 1, .high = kLongestLookback})),
      .rebalance = params.integer("rebalance", 21, {.low = 1, .high = kLongestLookback}),
      .quantile = params.number("quantile", 0.3, {.low = 0, .high = 1, .above_low = true})};
  return std::make_unique<Momentum>(options, sizing);
}

}  // namespace alphaswarm::trading::detail
