#include "alphaswarm/trading/strategy/strategies.hpp"

namespace alphaswarm::trading::detail {
namespace {

// Buys at the first bar of the session and never sells. No parameters of its own.
class BuyAndHold final : public Strategy {
 public:
  explicit BuyAndHold(const SizingConfig& sizing) : Strategy(sizing) {}

  std::string_view name() const noexcept override { return "buy_and_hold"; }
  std::size_t required_history() const noexcept override { return 1; }

  void on_bar(const Slice& slice, std::vector<Signal>& signals) override {
    for (std::size_t i = 0; i < slice.symbols.size(); ++i) {
      const SymbolView& view = slice.symbols[i];
      if (view.session_bars == 1 && view.position.is_zero()) {
        signals.push_back({.symbol_index = i, .kind = SignalKind::enter_long, .score = 1});
      }
    }
  }
};

}  // namespace

std::unique_ptr<Strategy> make_buy_and_hold(Params& /*params*/, const SizingConfig& sizing) {
  return std::make_unique<BuyAndHold>(sizing);
}

}  // namespace alphaswarm::trading::detail
