#include <numeric>

#include "alphaswarm/trading/strategy/strategies.hpp"

namespace alphaswarm::trading::detail {
namespace {

double mean(std::span<const double> values) noexcept {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// Long from the bar on which the mean of the last `fast` (10) closes crosses above that of the
// last `slow` (20) — it was at or below it the bar before, and is above — to the opposite cross.
class SmaCross final : public Strategy {
 public:
  SmaCross(std::size_t fast, std::size_t slow, const SizingConfig& sizing)
      : Strategy(sizing), fast_(fast), slow_(slow) {}

  std::string_view name() const noexcept override { return "sma_cross"; }
  std::size_t required_history() const noexcept override { return slow_ + 1; }

  void on_bar(const Slice& slice, std::vector<Signal>& signals) override {
    for (std::size_t i = 0; i < slice.symbols.size(); ++i) {
      const SymbolView& view = slice.symbols[i];
      if (view.closes.size() <= slow_) continue;
      const double now = gap(view.closes);
      const double before = gap(view.closes.first(view.closes.size() - 1));
      const auto say = [&](SignalKind kind) {
        signals.push_back({.symbol_index = i, .kind = kind, .score = now});
      };
      if (before <= 0 && now > 0) {
        if (view.position.is_negative()) say(SignalKind::leave);
        if (!view.position.is_positive()) say(SignalKind::enter_long);
      } else if (before >= 0 && now < 0) {
        if (view.position.is_positive()) say(SignalKind::leave);
        if (sizing().allow_short && !view.position.is_negative()) say(SignalKind::enter_short);
      }
    }
  }

 private:
  double gap(std::span<const double> closes) const noexcept {
    return mean(closes.last(fast_)) - mean(closes.last(slow_));
  }

  std::size_t fast_, slow_;
};

}  // namespace

std::unique_ptr<Strategy> make_sma_cross(Params& params, const SizingConfig& sizing) {
  const std::int64_t fast = params.integer("fast", 10, {.low = 1, .high = kLongestLookback});
  const std::int64_t slow = params.integer("slow", 20, {.low = 2, .high = kLongestLookback});
  if (fast >= slow) {
    params.problem("fast is " + std::to_string(fast) + ", must be less than slow, which is " +
                   std::to_string(slow));
  }
  return std::make_unique<SmaCross>(static_cast<std::size_t>(fast), static_cast<std::size_t>(slow),
                                    sizing);
}

}  // namespace alphaswarm::trading::detail
