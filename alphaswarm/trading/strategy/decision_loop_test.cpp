#include "alphaswarm/trading/strategy/decision_loop.hpp"

#include <gtest/gtest.h>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace alphaswarm::trading {
namespace {

namespace json = boost::json;
constexpr std::int64_t kDay = 86'400'000'000'000;
const VtSymbol kApple = *VtSymbol::parse("AAPL.NASDAQ");

SymbolBar bar(std::int64_t day, double close) {
  const Price price = Price::of(close);
  return {.symbol = kApple,
          .bar = {.timestamp = {day * kDay},
                  .open = price,
                  .high = price,
                  .low = price,
                  .close = price,
                  .volume = {}}};
}

DecisionLoop make_loop(std::string_view strategy, const json::object& params,
                       const RiskLimits& risk = {}) {
  return std::move(*DecisionLoop::create(
      {.run_id = "run", .initial_cash = Money::of(10'000), .risk = risk, .history_window = 50},
      std::move(*make_strategy(strategy, params))));
}

std::vector<Decision> show(DecisionLoop& loop, std::int64_t day, double close) {
  const SymbolBar one = bar(day, close);
  const std::span<const Decision> decisions = loop.on_bars({day * kDay}, {&one, 1});
  return {decisions.begin(), decisions.end()};
}

Fill fill_of(const Decision& decision, double price, double quantity = 0) {
  return {.client_id = decision.order.client_id,
          .order_id = {"o"},
          .symbol = decision.order.symbol,
          .side = decision.order.side,
          .quantity = quantity > 0 ? Quantity::of(quantity) : decision.order.quantity,
          .price = Price::of(price),
          .commission = Money::of(1),
          .time = {}};
}

std::string lines(DecisionLoop& loop) {
  std::string text;
  for (const LedgerLine& line : loop.take_ledger()) {
    EXPECT_TRUE(json::parse(line.payload_json).is_object());
    text += std::string(to_string(line.type)) + " " + line.level + " " + line.message + "\n";
  }
  return text;
}

TEST(DecisionLoops, SignalToOrderToFill) {
  DecisionLoop loop = make_loop("buy_and_hold", {});
  const std::vector<Decision> decisions = show(loop, 1, 100);
  ASSERT_EQ(decisions.size(), 1U);
  EXPECT_EQ(decisions[0].order.client_id.value, "run-000001");
  EXPECT_EQ(decisions[0].order.quantity, Quantity::of(10));  // 0.10 × 10000 / 100
  EXPECT_TRUE(loop.check(decisions[0]).allowed());
  loop.on_submitted(decisions[0]);
  EXPECT_EQ(loop.open_orders(), 1U);
  loop.on_fill(fill_of(decisions[0], 101));
  EXPECT_EQ(loop.open_orders(), 0U);
  EXPECT_TRUE(show(loop, 2, 102).empty());
  EXPECT_EQ(loop.equity(), Money::of(10'000 - 1'010 - 1 + 1'020));
  EXPECT_EQ(lines(loop),
            "SIGNAL info buy_and_hold: enter_long AAPL.NASDAQ at 100, score 1.0000\n"
            "ORDER info market buy 10 AAPL.NASDAQ, order run-000001\n"
            "FILL info buy 10 AAPL.NASDAQ at 101, commission 1\n");
  EXPECT_EQ(lines(loop), "");
}

TEST(DecisionLoops, NoSharesIsALedgerLineAndNoOrder) {
  DecisionLoop loop = make_loop("buy_and_hold", {});
  EXPECT_TRUE(show(loop, 1, 1'000.5).empty());
  EXPECT_EQ(lines(loop),
            "SIGNAL warning buy_and_hold: enter_long AAPL.NASDAQ at 1000.5, score 1.0000; 0 "
            "shares: no order\n");
}

TEST(DecisionLoops, RefusedByRiskIsALedgerLine) {
  DecisionLoop loop = make_loop("buy_and_hold", {{"position_pct", 0.5}});
  const std::vector<Decision> decisions = show(loop, 1, 100);
  ASSERT_EQ(decisions.size(), 1U);
  EXPECT_FALSE(loop.check(decisions[0]).allowed());
  (void)loop.take_ledger();
  EXPECT_FALSE(loop.check(decisions[0]).allowed());
  EXPECT_EQ(lines(loop),
            "RISK warning order run-000001 refused: max_position_pct: 0.5 is more than 0.2\n");
}

TEST(DecisionLoops, OpenOrdersCountForRiskAndHoldBackSignals) {
  RiskLimits risk;
  risk.max_position_pct = Decimal::from_double(0.6);
  DecisionLoop loop =
      make_loop("momentum", {{"lookback", 1}, {"rebalance", 1}, {"position_pct", 0.5}}, risk);
  (void)show(loop, 1, 100);
  const std::vector<Decision> decisions = show(loop, 2, 101);
  ASSERT_EQ(decisions.size(), 1U);
  loop.on_submitted(decisions[0]);
  EXPECT_FALSE(loop.check(decisions[0]).allowed());  // the same once more would be 99 %
  EXPECT_TRUE(show(loop, 3, 102).empty());
  loop.on_order_closed(decisions[0].order.client_id, OrderStatus::expired, "its day ended", {});
  EXPECT_TRUE(loop.check(decisions[0]).allowed());
  const std::vector<Decision> again = show(loop, 4, 103);
  ASSERT_EQ(again.size(), 1U);
  EXPECT_EQ(again[0].order.client_id.value, "run-000002");
}

TEST(DecisionLoops, WarmUpIsSeenByTheStrategyButNotAsTheSession) {
  DecisionLoop hold = make_loop("buy_and_hold", {});
  const SymbolBar early = bar(0, 90);
  hold.warm_up({&early, 1});
  EXPECT_EQ(show(hold, 1, 100).size(), 1U);
  EXPECT_EQ(hold.steps(), 1);

  DecisionLoop trend = make_loop("momentum", {{"lookback", 1}, {"rebalance", 1}});
  trend.warm_up({&early, 1});
  EXPECT_EQ(show(trend, 1, 100).size(), 1U);
}

TEST(DecisionLoops, TooShortAWindowIsRefused) {
  EXPECT_EQ(
      DecisionLoop::create({.run_id = "r", .initial_cash = {}, .risk = {}, .history_window = 10},
                           std::move(*make_strategy("mean_reversion", {})))
          .error()
          .message,
      "strategy mean_reversion needs 20 bars of history, the window (history_window_bars) "
      "holds only 10");
}

// A loop that is saved and restored at any bar decides as one that never stopped.
TEST(DecisionLoops, ResumeAsIfNothingHadHappened) {
  const json::object params{{"lookback", 5}, {"z_threshold", 1.2}};
  const auto close_at = [](std::int64_t day) {
    return 100.0 + static_cast<double>((day * 7919) % 23) - static_cast<double>((day * 31) % 11);
  };
  const auto play = [&](std::int64_t restart_every) {
    DecisionLoop loop = make_loop("mean_reversion", params);
    std::vector<Decision> pending;
    std::string story;
    for (std::int64_t day = 1; day <= 200; ++day) {
      if (restart_every != 0 && day % restart_every == 0) {
        const std::string saved = json::serialize(loop.state());
        loop = make_loop("mean_reversion", params);
        EXPECT_TRUE(loop.restore(json::parse(saved).as_object()));
      }
      for (const Decision& decision : pending) loop.on_fill(fill_of(decision, close_at(day)));
      pending = show(loop, day, close_at(day));
      for (const Decision& decision : pending) {
        loop.on_submitted(decision);
        story += std::to_string(day) + " " + std::string(to_string(decision.signal)) + " " +
                 decision.order.client_id.value + " " + decision.order.quantity.to_string() + "\n";
      }
    }
    return story + loop.equity().to_string();
  };
  const std::string undisturbed = play(0);
  EXPECT_GT(undisturbed.size(), 300U) << undisturbed;
  EXPECT_EQ(play(1), undisturbed);
  EXPECT_EQ(play(7), undisturbed);
}

TEST(DecisionLoops, ABadStateIsRefusedAndChangesNothing) {
  DecisionLoop loop = make_loop("buy_and_hold", {});
  (void)show(loop, 1, 100);
  json::object state = loop.state();
  state.erase("cash");
  const Result<void> restored = loop.restore(state);
  ASSERT_FALSE(restored);
  EXPECT_EQ(restored.error().code, ErrorCode::data_loss);
  EXPECT_EQ(loop.steps(), 1);
  json::object other = loop.state();
  other["run_id"] = "another";
  EXPECT_FALSE(loop.restore(other));
}

}  // namespace
}  // namespace alphaswarm::trading
