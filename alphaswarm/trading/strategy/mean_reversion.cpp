#include <cmath>

#include "alphaswarm/trading/strategy/strategies.hpp"
#include "alphaswarm/trading/strategy/z_score.hpp"

namespace alphaswarm::trading {

double z_score(std::span<const double> closes) noexcept {
  if (closes.size() < 2) return 0.0;
  const auto count = static_cast<double>(closes.size());
  double sum = 0;
  for (const double close : closes) sum += close;
  const double mean = sum / count;
  double squares = 0;
  for (const double close : closes) squares += (close - mean) * (close - mean);
  const double deviation = std::sqrt(squares / (count - 1.0));
  return deviation > 0 ? (closes.back() - mean) / deviation : 0.0;
}

namespace detail {
namespace {

// Buys what has fallen far below its mean and sells it when it is back there. `lookback` (20) is 2
// or more bars, `z_threshold` (2.0) above 0. Enters from bar lookback + 1 on.
class MeanReversion final : public Strategy {
 public:
  MeanReversion(std::size_t lookback, double threshold, const SizingConfig& sizing)
      : Strategy(sizing), lookback_(lookback), threshold_(threshold) {}

  std::string_view name() const noexcept override { return "mean_reversion"; }
  std::size_t required_history() const noexcept override { return lookback_; }

  void on_bar(const Slice& slice, std::vector<Signal>& signals) override {
    for (std::size_t i = 0; i < slice.symbols.size(); ++i) {
      const SymbolView& view = slice.symbols[i];
      if (view.bars_seen <= static_cast<std::int64_t>(lookback_)) continue;
      const double z = z_score(view.closes.last(lookback_));
      if (view.position.is_zero()) {
        if (z <= -threshold_) {
          signals.push_back({.symbol_index = i, .kind = SignalKind::enter_long, .score = z});
        } else if (sizing().allow_short && z >= threshold_) {
          signals.push_back({.symbol_index = i, .kind = SignalKind::enter_short, .score = z});
        }
      } else if (view.position.is_positive() ? z >= 0 : z <= 0) {
        signals.push_back({.symbol_index = i, .kind = SignalKind::leave, .score = z});
      }
    }
  }

 private:
  std::size_t lookback_;
  double threshold_;
};

}  // namespace

std::unique_ptr<Strategy> make_mean_reversion(Params& params, const SizingConfig& sizing) {
  const std::int64_t lookback =
      params.integer("lookback", 20, {.low = 2, .high = kLongestLookback});
  const double threshold =
      params.number("z_threshold", 2.0, {.low = 0, .high = 100, .above_low = true});
  return std::make_unique<MeanReversion>(static_cast<std::size_t>(lookback), threshold, sizing);
}

}  // namespace detail
}  // namespace alphaswarm::trading
