#include "alphaswarm/trading/backtest/engine.hpp"

#include <gtest/gtest.h>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <cmath>

#include "alphaswarm/base/random.hpp"

namespace alphaswarm::trading {
namespace {

namespace json = boost::json;
constexpr std::int64_t kDay = 86'400'000'000'000;

struct Prices {
  double open, close;
};

Dataset dataset(const std::vector<Prices>& prices, const char* symbol = "A.X") {
  Series series{.symbol = *VtSymbol::parse(symbol), .bars = {}};
  for (std::size_t i = 0; i < prices.size(); ++i) {
    const auto [open, close] = prices[i];
    series.bars.push_back({.timestamp = {static_cast<std::int64_t>(i) * kDay},
                           .open = Price::of(open),
                           .high = Price::of(std::max(open, close)),
                           .low = Price::of(std::min(open, close)),
                           .close = Price::of(close),
                           .volume = {}});
  }
  return {.interval = Interval::day, .series = {std::move(series)}};
}

BacktestConfig config(std::string_view document) {
  Result<BacktestConfig> parsed = parse_backtest_config(json::parse(document).as_object());
  EXPECT_TRUE(parsed) << parsed.error().message;
  return std::move(*parsed);
}

TEST(Backtests, BuyAndHoldByHand) {
  const Result<BacktestResult> result =
      run_backtest(config(R"({"strategy": {"name": "buy_and_hold"}})"),
                   dataset({{99, 100}, {101, 102}, {103, 110}}), {.run_id = "run"});
  ASSERT_TRUE(result) << result.error().message;
  // Decided at close 100: 10000 / 100 = 100 shares; filled at the next open 101 × 1.0002.
  ASSERT_EQ(result->fills.size(), 1U);
  const Fill& fill = result->fills[0];
  EXPECT_EQ(fill.client_id.value, "run-000001");
  EXPECT_EQ(fill.quantity, Quantity::of(100));
  EXPECT_EQ(fill.price.to_string(), "101.0202");
  EXPECT_EQ(fill.commission.to_string(), "5.05101");
  EXPECT_EQ(fill.time.value, kDay);
  // 100000 − 10102.02 − 5.05101 + 100 × 110
  EXPECT_EQ(result->final_equity.to_string(), "100892.92899");
  ASSERT_EQ(result->curve.size(), 3U);
  EXPECT_EQ(result->curve[0].equity, Money::of(100'000));
  EXPECT_EQ(result->curve[1].equity.to_string(), "100092.92899");
  EXPECT_NEAR(result->metrics.total_return, 0.0089292899, 1e-12);
  EXPECT_EQ(result->bars_count, 3);
  EXPECT_EQ(result->orders.size(), 1U);
  EXPECT_EQ(result->orders[0].status, OrderStatus::filled);
  EXPECT_EQ(result->end.value, 2 * kDay);
}

TEST(Backtests, MeanReversionByHand) {
  // lookback 4, threshold 1.4: bar 6 closes at 4 after 10, 10, 10 (z = −1.5): 10000 / 4 = 2500
  // shares, bought at bar 7's open 5; bar 7 closes at 9.5: 10, 10, 4, 9.5, mean 8.375: leave,
  // sold at bar 8's open 9.
  const Result<BacktestResult> result = run_backtest(
      config(R"({"strategy": {"params": {"lookback": 4, "z_threshold": 1.4}},
                 "brokerage": {"params": {"slippage_bps": 0, "commission_rate": 0}},
                 "risk": {"max_daily_loss_pct": 1}})"),
      dataset({{10, 10}, {10, 10}, {10, 10}, {10, 10}, {10, 10}, {10, 4}, {5, 9.5}, {9, 9}}));
  ASSERT_TRUE(result);
  ASSERT_EQ(result->fills.size(), 2U);
  EXPECT_EQ(result->fills[0].side, Side::buy);
  EXPECT_EQ(result->fills[0].quantity, Quantity::of(2'500));
  EXPECT_EQ(result->fills[0].price, Price::of(5));
  EXPECT_EQ(result->fills[1].side, Side::sell);
  EXPECT_EQ(result->fills[1].price, Price::of(9));
  EXPECT_EQ(result->final_equity, Money::of(110'000));
  EXPECT_EQ(result->realised, Money::of(10'000));
}

TEST(Backtests, RiskGateHoldsOrdersBack) {
  const Result<BacktestResult> result = run_backtest(
      config(R"({"strategy": {"name": "buy_and_hold", "params": {"position_pct": 0.3}}})"),
      dataset({{10, 10}, {10, 10}}));
  ASSERT_TRUE(result);
  EXPECT_EQ(result->refused, 1);
  EXPECT_TRUE(result->orders.empty());
  ASSERT_EQ(result->ledger.size(), 2U);
  EXPECT_EQ(result->ledger[1].type, LedgerType::risk);
}

TEST(Backtests, AnOrderOfTheLastBarStaysOpen) {
  const Result<BacktestResult> result =
      run_backtest(config(R"({"strategy": {"name": "buy_and_hold"}})"), dataset({{10, 10}}));
  ASSERT_TRUE(result);
  EXPECT_TRUE(result->fills.empty());
  EXPECT_EQ(result->orders[0].status, OrderStatus::new_order);
}

TEST(Backtests, SelectUniverseAndTime) {
  Dataset data = dataset({{10, 10}, {11, 11}, {12, 12}});
  data.series.push_back(dataset({{20, 20}}, "B.X").series[0]);
  const Result<BacktestResult> result = run_backtest(
      config(R"({"strategy": {"name": "buy_and_hold"}, "session": {"universe": ["A.X"]},
                              "feed": {"params": {"start": "1970-01-02", "end": "1970-01-03"}}})"),
      data);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->bars_count, 1);
  EXPECT_EQ(result->symbols.size(), 1U);
  EXPECT_EQ(run_backtest(config(R"({"session": {"universe": ["C.X"]}})"), data).error().message,
            "there are no 1d bars of C.X in the time asked for; ingest them first");
  EXPECT_EQ(run_backtest(config(R"({"feed": {"params": {"interval": "1m"}}})"), data).error().code,
            ErrorCode::invalid_argument);
}

TEST(Backtests, PlayPieceByPieceAndStopAtMaxBars) {
  const Dataset data = dataset(std::vector<Prices>(500, Prices{10, 10}));
  Result<Backtest> pieces = Backtest::create(config("{}"), data);
  ASSERT_TRUE(pieces);
  EXPECT_TRUE(pieces->play(200));
  EXPECT_EQ(pieces->done_steps(), 200);
  EXPECT_TRUE(pieces->play(300));
  EXPECT_FALSE(pieces->play(1));
  EXPECT_EQ(pieces->finish().curve.size(), 500U);
  const Result<BacktestResult> short_run =
      run_backtest(config(R"({"session": {"max_bars": 20}})"), data);
  EXPECT_EQ(short_run->bars_count, 20);
}

// A random walk over three symbols: the same run twice is the same, and the books balance.
TEST(Backtests, AreRepeatableAndBalanced) {
  Random random(11);
  Dataset data{.interval = Interval::day, .series = {}};
  for (const char* symbol : {"A.X", "B.X", "C.X"}) {
    std::vector<Prices> prices;
    double price = 100;
    for (int i = 0; i < 1'500; ++i) {
      const double open = price * (0.98 + random.uniform() * 0.04);
      price = open * (0.97 + random.uniform() * 0.0602);
      prices.push_back({open, price});
    }
    data.series.push_back(dataset(prices, symbol).series[0]);
  }
  for (const char* name : {"mean_reversion", "sma_cross", "momentum"}) {
    const BacktestConfig settings = config(std::string(R"({"strategy": {"name": ")") + name +
                                           R"(", "params": {"allow_short": true}}})");
    const Result<BacktestResult> first = run_backtest(settings, data, {.run_id = "r"});
    const Result<BacktestResult> second = run_backtest(settings, data, {.run_id = "r"});
    ASSERT_TRUE(first) << first.error().message;
    EXPECT_GT(first->fills.size(), 20U) << name;
    EXPECT_EQ(to_json(*first, true), to_json(*second, true));
    Money cash = Money::of(100'000);
    std::map<VtSymbol, Quantity> held;
    for (const Fill& fill : first->fills) {
      const Quantity change = fill.side == Side::buy ? fill.quantity : -fill.quantity;
      cash -= fill.price * change + fill.commission;
      held[fill.symbol] += change;
    }
    for (const Series& series : data.series) cash += series.bars.back().close * held[series.symbol];
    EXPECT_EQ(cash, first->final_equity) << name;
  }
}

std::string refusal(std::string_view document) {
  const auto parsed = parse_backtest_config(json::parse(document).as_object());
  return parsed ? "accepted" : parsed.error().message;
}

TEST(BacktestConfigs, SaysWhatIsWrongAndWhere) {
  EXPECT_EQ(refusal(R"({"sesion": {}})"),
            "'sesion' is not a section of the configuration: one of session, strategy, brokerage, "
            "feed, risk");
  EXPECT_EQ(refusal(R"({"session": 5})"), "session is 5, must be an object");
  EXPECT_EQ(refusal(R"({"session": {"initial_cash": -1}})"),
            "session: initial_cash is -1, must be a number above 0 up to 10000000000");
  EXPECT_EQ(
      refusal(R"({"session": {"universe": ["AAPL"]}})"),
      "session: universe: 'AAPL' is not a symbol of the form TICKER.EXCHANGE: it has no point");
  EXPECT_EQ(refusal(R"({"session": {"universe": ["A.X", "A.X"]}})"),
            "session: universe names A.X twice");
  EXPECT_EQ(
      refusal(R"({"strategy": {"params": {"lookback": 600}}})"),
      "session: history_window_bars is 500, must be at least 600 for strategy mean_reversion");
  EXPECT_EQ(refusal(R"({"feed": {"params": {"start": "soon"}}})"),
            "feed params: start is 'soon', must be a date like 2020-01-31 or a time like "
            "2020-01-31T00:00:00Z");
  EXPECT_EQ(refusal(R"({"feed": {"params": {"start": "2020-01-02", "end": "2020-01-02"}}})"),
            "feed params: start must be before end");
  EXPECT_EQ(refusal(R"({"brokerage": {"params": {"slippage": 1}}})"),
            "brokerage params: 'slippage' is not a parameter; known are base_url, commission_rate, "
            "leverage, max_fill_share, slippage_bps");
}

TEST(BacktestConfigs, APaperSessionsDocumentIsUnderstood) {
  const std::string document = R"({
    "session": {"run_name": "paper-adhoc", "heartbeat_seconds": 30, "state_flush_every_bars": 10,
                "history_window_bars": 500, "max_bars": null, "initial_cash": 100000,
                "stop_on_kill_switch": true, "dry_run": false, "universe": []},
    "strategy": {"name": "mean_reversion", "params": {"lookback": 20, "z_threshold": 2.0}},
    "brokerage": {"venue": "sim", "params": {}},
    "feed": {"kind": "replay", "params": {}},
    "risk": {"max_position_pct": 0.20, "max_daily_loss_pct": 0.03, "max_drawdown_pct": 0.15,
             "max_gross_exposure": 1.0}})";
  EXPECT_EQ(refusal(document), "accepted");
  const json::object written = to_json(config(document));
  const Result<BacktestConfig> again = parse_backtest_config(written);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(to_json(*again), written);
}

}  // namespace
}  // namespace alphaswarm::trading
