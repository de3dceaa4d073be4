#include <algorithm>

#include "alphaswarm/trading/strategy/strategies.hpp"

namespace alphaswarm::trading::detail {
namespace {

// Long from the bar on which the exponential mean over `fast` (10) bars crosses above that over
// `slow` (20), to the opposite cross; weight of the newest close: 2 / (span + 1).
//
// Such a mean remembers every bar there ever was, and a session that resumes does not. So the
// means are defined over what a session keeps: bars are counted in blocks of 8 · slow, and those of
// a block start from the first close of the block before. What lies further back would weigh less
// than e⁻¹⁶ (1.1e-7). The means are carried from bar to bar, and worked out anew from the history
// where that is not possible: the same operations in the same order, so the same numbers.
class EmaCross final : public Strategy {
 public:
  EmaCross(std::size_t fast, std::size_t slow, const SizingConfig& sizing)
      : Strategy(sizing),
        slow_(static_cast<std::int64_t>(slow)),
        block_(8 * slow_),
        fast_weight_(2.0 / (static_cast<double>(fast) + 1)),
        slow_weight_(2.0 / (static_cast<double>(slow) + 1)) {}

  std::string_view name() const noexcept override { return "ema_cross"; }
  std::size_t required_history() const noexcept override {
    return static_cast<std::size_t>(2 * block_ + 1);
  }

  void on_bar(const Slice& slice, std::vector<Signal>& signals) override {
    means_.resize(std::max(means_.size(), slice.symbols.size()));
    for (std::size_t i = 0; i < slice.symbols.size(); ++i) {
      const SymbolView& view = slice.symbols[i];
      Means& means = means_[i];
      if (means.bars != view.bars_seen - 1 || means.symbol != *view.symbol) rebuild(means, view);
      const double before = means.now.gap();
      add(means, view.closes.back());
      if (view.bars_seen <= slow_) continue;
      const double now = means.now.gap();
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
  struct Pair {
    double fast = 0, slow = 0;
    [[nodiscard]] double gap() const noexcept { return fast - slow; }
  };
  // Of one symbol, after `bars` bars.
  struct Means {
    VtSymbol symbol;
    std::int64_t bars = 0;
    Pair now;   // from the first close of the block before (of the first block: its own)
    Pair next;  // from the first close of this block: `now` of the next one
  };

  void step(Pair& pair, double close) const noexcept {
    pair.fast += fast_weight_ * (close - pair.fast);
    pair.slow += slow_weight_ * (close - pair.slow);
  }
  void add(Means& means, double close) const noexcept {
    if (means.bars++ % block_ == 0) {
      const Pair start{.fast = close, .slow = close};
      means.now = means.next;
      means.next = start;
      if (means.bars == 1) {
        means.now = start;
      } else {
        step(means.now, close);
      }
      return;
    }
    step(means.now, close);
    step(means.next, close);
  }
  // As of the bar before this one.
  void rebuild(Means& means, const SymbolView& view) const {
    means = Means{.symbol = *view.symbol, .bars = 0, .now = {}, .next = {}};
    const std::int64_t done = view.bars_seen - 1;
    const auto held = static_cast<std::int64_t>(view.closes.size()) - 1;
    const std::int64_t blocks = std::max<std::int64_t>(0, done - 1) / block_;
    const std::int64_t from = std::max(std::max<std::int64_t>(0, blocks - 1) * block_, done - held);
    // A history that starts within a block starts its means there.
    means.bars = from;
    if (from % block_ != 0 && done > from) {
      const double close = view.closes[static_cast<std::size_t>(held - (done - from))];
      means.now = means.next = {.fast = close, .slow = close};
      ++means.bars;
    }
    while (means.bars < done) {
      add(means, view.closes[static_cast<std::size_t>(held - (done - means.bars))]);
    }
  }

  std::int64_t slow_, block_;
  double fast_weight_, slow_weight_;
  std::vector<Means> means_;
};

}  // namespace

std::unique_ptr<Strategy> make_ema_cross(Params& params, const SizingConfig& sizing) {
  const std::int64_t fast = params.integer("fast", 10, {.low = 1, .high = kLongestLookback / 16});
  const std::int64_t slow = params.integer("slow", 20, {.low = 2, .high = kLongestLookback / 16});
  if (fast >= slow) {
    params.problem("fast is " + std::to_string(fast) + ", must be less than slow, which is " +
                   std::to_string(slow));
  }
  return std::make_unique<EmaCross>(static_cast<std::size_t>(fast), static_cast<std::size_t>(slow),
                                    sizing);
}

}  // namespace alphaswarm::trading::detail
