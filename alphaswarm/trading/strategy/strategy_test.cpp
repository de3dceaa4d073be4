#include "alphaswarm/trading/strategy/strategy.hpp"

#include <gtest/gtest.h>

#include <boost/json/object.hpp>
#include <cmath>
#include <string>
#include <vector>

#include "alphaswarm/trading/strategy/history.hpp"
#include "alphaswarm/trading/strategy/z_score.hpp"

namespace alphaswarm::trading {
namespace {

namespace json = boost::json;

// Shows a strategy one bar after another and keeps a position as if every signal were filled.
class Stage {
 public:
  Stage(std::string_view name, const json::object& params, std::vector<std::string> symbols)
      : strategy_(*make_strategy(name, params)) {
    for (const std::string& symbol : symbols) symbols_.push_back(*VtSymbol::parse(symbol));
    histories_.assign(symbols.size(), History(strategy_->required_history()));
    positions_.resize(symbols.size());
  }
  explicit Stage(std::string_view name, const json::object& params = {})
      : Stage(name, params, {"A.X"}) {}

  // One bar of each symbol; what was said, e.g. "enter_long A.X; leave B.X".
  std::string show(const std::vector<double>& closes) {
    ++bars_;
    std::vector<Bar> bars(closes.size());
    std::vector<SymbolView> views;
    for (std::size_t i = 0; i < closes.size(); ++i) {
      bars[i].close = Price::of(closes[i]);
      histories_[i].push(closes[i]);
      views.push_back({.symbol = &symbols_[i],
                       .bar = &bars[i],
                       .closes = histories_[i].closes(),
                       .bars_seen = bars_,
                       .session_bars = bars_,
                       .position = positions_[i]});
    }
    std::vector<Signal> signals;
    strategy_->on_bar({.timestamp = {}, .symbols = views}, signals);
    std::string said;
    for (const Signal& signal : signals) {
      said += (said.empty() ? "" : "; ") + std::string(to_string(signal.kind)) + " " +
              symbols_[signal.symbol_index].text();
      positions_[signal.symbol_index] = Quantity::of(signal.kind == SignalKind::enter_long    ? 1
                                                     : signal.kind == SignalKind::enter_short ? -1
                                                                                              : 0);
    }
    return said;
  }
  std::string show(double close) { return show(std::vector<double>{close}); }

 private:
  std::unique_ptr<Strategy> strategy_;
  std::vector<VtSymbol> symbols_;
  std::vector<History> histories_;
  std::vector<Quantity> positions_;
  std::int64_t bars_ = 0;
};

TEST(Histories, KeepTheLastClosesInOrder) {
  History history(3);
  for (int i = 1; i <= 100; ++i) {
    history.push(i);
    const std::span<const double> closes = history.closes();
    ASSERT_EQ(closes.size(), static_cast<std::size_t>(std::min(i, 3)));
    for (std::size_t k = 0; k < closes.size(); ++k) {
      ASSERT_EQ(closes[k], i - static_cast<int>(closes.size()) + 1 + static_cast<int>(k));
    }
  }
  EXPECT_EQ(history.bars_seen(), 100);
  const History copy(3, history.closes(), 100);
  EXPECT_EQ(copy.closes().front(), 98);
  EXPECT_EQ(copy.bars_seen(), 100);
}

TEST(ZScores, ByHand) {
  // 2, 4, 4, 6: mean 4, Σ squares 8, s = √(8/3) = 1.63299; (6 − 4) / s = 1.22474.
  EXPECT_NEAR(z_score(std::vector<double>{2, 4, 4, 6}), 1.224744871391589, 1e-15);
  EXPECT_EQ(z_score(std::vector<double>{5, 5, 5}), 0);
  EXPECT_EQ(z_score(std::vector<double>{5}), 0);
}

TEST(MeanReversions, EnterBelowTheThresholdAndLeaveAtTheMean) {
  Stage stage("mean_reversion", {{"lookback", 4}, {"z_threshold", 1.4}});
  // 10, 10, 10, 4 gives z = −1.5, but it is bar 4: the first chance is bar 5.
  EXPECT_EQ(stage.show(10), "");
  EXPECT_EQ(stage.show(10), "");
  EXPECT_EQ(stage.show(10), "");
  EXPECT_EQ(stage.show(4), "");
  EXPECT_EQ(stage.show(10), "");
  EXPECT_EQ(stage.show(10), "");
  EXPECT_EQ(stage.show(10), "");
  EXPECT_EQ(stage.show(4), "enter_long A.X");  // 10, 10, 10, 4: z = (4 − 8.5) / 3 = −1.5
  EXPECT_EQ(stage.show(5), "");                // 10, 10, 4, 5: mean 7.25, still below
  EXPECT_EQ(stage.show(9), "leave A.X");       // 10, 4, 5, 9: mean 7, z > 0
}

TEST(MeanReversions, MirrorImageOnlyIfAllowed) {
  const json::object params{{"lookback", 4}, {"z_threshold", 1.4}};
  json::object with_shorts = params;
  with_shorts["allow_short"] = true;
  Stage only_long("mean_reversion", params);
  Stage both("mean_reversion", with_shorts);
  for (const double close : {10, 10, 10, 10, 10}) {
    EXPECT_EQ(only_long.show(close), "");
    EXPECT_EQ(both.show(close), "");
  }
  EXPECT_EQ(only_long.show(16), "");
  EXPECT_EQ(both.show(16), "enter_short A.X");
  EXPECT_EQ(both.show(14), "");
  EXPECT_EQ(both.show(10), "leave A.X");  // 10, 16, 14, 10: mean 12.5
}

TEST(BuyAndHolds, OnceAtTheFirstBar) {
  Stage stage("buy_and_hold");
  EXPECT_EQ(stage.show(10), "enter_long A.X");
  for (const double close : {5, 50, 1}) EXPECT_EQ(stage.show(close), "");
}

TEST(SmaCrosses, OnTheCrossOnly) {
  Stage stage("sma_cross", {{"fast", 1}, {"slow", 3}});
  for (const double close : {10, 10, 10}) EXPECT_EQ(stage.show(close), "");
  EXPECT_EQ(stage.show(13), "enter_long A.X");  // 13 > 11, before 10 ≤ 10
  EXPECT_EQ(stage.show(14), "");                // above since long
  EXPECT_EQ(stage.show(8), "leave A.X");        // 8 < 11.67, before 14 ≥ 12.33
  EXPECT_EQ(stage.show(7), "");
}

TEST(SmaCrosses, TurnOverWhereShortsAreAllowed) {
  Stage stage("sma_cross", {{"fast", 1}, {"slow", 3}, {"allow_short", true}});
  for (const double close : {10, 10, 10}) stage.show(close);
  EXPECT_EQ(stage.show(13), "enter_long A.X");
  EXPECT_EQ(stage.show(5), "leave A.X; enter_short A.X");
}

TEST(EmaCrosses, OnTheCrossOnly) {
  Stage stage("ema_cross", {{"fast", 1}, {"slow", 3}});  // weights 1 and 0.5
  for (const double close : {10, 10, 10}) EXPECT_EQ(stage.show(close), "");
  EXPECT_EQ(stage.show(13), "enter_long A.X");  // 13 > 11.5, before 10 ≤ 10
  EXPECT_EQ(stage.show(14), "");                // 14 > 12.75: above since long
  EXPECT_EQ(stage.show(8), "leave A.X");        // 8 < 10.375
  EXPECT_EQ(stage.show(7), "");
}

// One that starts anywhere with the history alone says what one says that saw every bar.
TEST(EmaCrosses, NeedNothingButTheHistory) {
  const json::object params{{"fast", 2}, {"slow", 4}, {"allow_short", true}};
  const auto always = *make_strategy("ema_cross", params);
  History history(always->required_history());
  const VtSymbol symbol = *VtSymbol::parse("A.X");
  Bar bar;
  int signals_in_all = 0;
  for (int i = 1; i <= 400; ++i) {
    bar.close = Price::of(100 + 5 * std::sin(i * 0.7) + i % 3);
    history.push(bar.close.to_double());
    SymbolView view;
    view.symbol = &symbol;
    view.bar = &bar;
    view.closes = history.closes();
    view.bars_seen = history.bars_seen();
    const Slice slice{.timestamp = {}, .symbols = {&view, 1}};
    std::vector<Signal> known, fresh;
    always->on_bar(slice, known);
    (*make_strategy("ema_cross", params))->on_bar(slice, fresh);
    ASSERT_EQ(known.size(), fresh.size()) << "bar " << i;
    for (std::size_t k = 0; k < known.size(); ++k) {
      EXPECT_EQ(known[k].kind, fresh[k].kind) << "bar " << i;
      EXPECT_EQ(known[k].score, fresh[k].score) << "bar " << i;
    }
    signals_in_all += static_cast<int>(known.size());
  }
  EXPECT_GT(signals_in_all, 40);
}

TEST(Momentums, HoldTheTopQuantileBetweenRebalances) {
  Stage stage("momentum", {{"lookback", 2}, {"rebalance", 2}, {"quantile", 0.5}},
              {"A.X", "B.X", "C.X", "D.X"});
  EXPECT_EQ(stage.show({10, 10, 10, 10}), "");
  EXPECT_EQ(stage.show({10, 10, 10, 10}), "");
  // Bar 3 = lookback + 1: returns 0.1, 0.3, −0.1, 0.2: B and D.
  EXPECT_EQ(stage.show({11, 13, 9, 12}), "enter_long B.X; enter_long D.X");
  EXPECT_EQ(stage.show({99, 1, 9, 12}), "");  // no rebalance
  // Bar 5: over bars 3 to 5: 11→22, 13→13, 9→18, 12→6: A and C (equal returns rank by symbol).
  EXPECT_EQ(stage.show({22, 13, 18, 6}), "enter_long A.X; enter_long C.X; leave B.X; leave D.X");
}

TEST(Momentums, AloneByTheSign) {
  Stage stage("momentum", {{"lookback", 1}, {"rebalance", 1}});
  EXPECT_EQ(stage.show(10), "");
  EXPECT_EQ(stage.show(11), "enter_long A.X");
  EXPECT_EQ(stage.show(12), "");
  EXPECT_EQ(stage.show(12), "leave A.X");  // a return of 0 is not above 0
}

TEST(Sizing, WholeSharesRoundedDown) {
  const SizingConfig tenth;
  EXPECT_EQ(size_order(tenth, Money::of(100'000), Price::of(101)), Quantity::of(99));
  EXPECT_EQ(size_order(tenth, Money::of(100'000), Price::of(100)), Quantity::of(100));
  EXPECT_EQ(size_order(tenth, Money::of(100'000), Price::of(10'000.01)), Quantity());
  EXPECT_EQ(size_order(tenth, Money::of(-5), Price::of(1)), Quantity());
  // Just under 3 shares: a quotient rounded to eight decimals would say 3.
  EXPECT_EQ(size_order(tenth, Money::of(89'999.999999), Price::of(3'000)), Quantity::of(2));
}

std::string refusal(std::string_view name, const json::object& params) {
  const auto strategy = make_strategy(name, params);
  return strategy ? "accepted" : strategy.error().message;
}

TEST(StrategyParams, ImpossibleOnesAreNamed) {
  EXPECT_EQ(refusal("mean_reversion", {{"lookback", 1}}),
            "strategy mean_reversion: lookback is 1, must be a whole number from 2 to 10000");
  EXPECT_EQ(refusal("mean_reversion", {{"lookback", 2.5}}),
            "strategy mean_reversion: lookback is 2.5, must be a whole number from 2 to 10000");
  EXPECT_EQ(refusal("mean_reversion", {{"z_threshold", 0}}),
            "strategy mean_reversion: z_threshold is 0, must be a number above 0 up to 100");
  EXPECT_EQ(refusal("mean_reversion", {{"z_threshold", "high"}}),
            "strategy mean_reversion: z_threshold is \"high\", must be a number above 0 up to 100");
  EXPECT_EQ(refusal("mean_reversion", {{"lokback", 20}}),
            "strategy mean_reversion: 'lokback' is not a parameter; known are allow_short, "
            "lookback, position_pct, z_threshold");
  EXPECT_EQ(refusal("buy_and_hold", {{"position_pct", 1.5}}),
            "strategy buy_and_hold: position_pct is 1.5, must be a number above 0 up to 1");
  EXPECT_EQ(refusal("sma_cross", {{"fast", 20}, {"slow", 10}}),
            "strategy sma_cross: fast is 20, must be less than slow, which is 10");
  EXPECT_EQ(refusal("buy_and_hold", {{"allow_short", 1}}),
            "strategy buy_and_hold: allow_short is 1, must be true or false");
  EXPECT_EQ(refusal("magic", {}),
            "there is no strategy 'magic': one of mean_reversion, buy_and_hold, sma_cross, "
            "ema_cross, momentum");
  EXPECT_EQ(refusal("mean_reversion", {{"lookback", 30.0}, {"position_pct", "0.25"}}), "accepted");
}

}  // namespace
}  // namespace alphaswarm::trading
