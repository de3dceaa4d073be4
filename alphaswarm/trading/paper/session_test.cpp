#include "alphaswarm/trading/paper/session.hpp"

#include <algorithm>
#include <chrono>
#include <set>

#include "alphaswarm/trading/backtest/engine.hpp"
#include "alphaswarm/trading/paper/session_fixture.hpp"

namespace alphaswarm::trading::paper {
namespace {

namespace json = boost::json;

using SessionTest = SessionFixture;

TEST_F(SessionTest, SpansAndRowsAgreeToTheLastOne) {
  store_bars(200);
  const Result<SessionResult> result = run(document());
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->status, "completed") << result->reason;
  const auto all = spans();
  auto names = count_names(all);
  const auto orders = orders_of(result->run_id);
  const auto fills = fills_of(result->run_id);
  EXPECT_EQ(result->bars_seen, 200);
  EXPECT_GT(fills.size(), 5U);
  EXPECT_EQ(names["paper.session.run"], 1);
  EXPECT_EQ(names["paper.session.bar"], result->bars_seen);
  EXPECT_EQ(names["paper.session.submit_order"], static_cast<int>(orders.size()));
  EXPECT_EQ(names["risk.check_pretrade"], static_cast<int>(orders.size()));
  EXPECT_EQ(count_events(all, "order.fill"), static_cast<int>(fills.size()));
  EXPECT_EQ(names["POST /sim/v1/advance"], 200);
  EXPECT_EQ(names["POST /v2/orders"], names["broker.submit_order"]);
  const persistence::RunRow row = row_of(result->run_id);
  EXPECT_EQ(row.bars_seen, 200);
  EXPECT_EQ(row.orders_submitted, static_cast<std::int64_t>(orders.size()));
  EXPECT_EQ(row.fills, static_cast<std::int64_t>(fills.size()));
  EXPECT_EQ(row.status, "completed");
  EXPECT_TRUE(row.stopped_at.has_value());
}

TEST_F(SessionTest, OneTraceWithoutOrphansOverTwoServices) {
  store_bars(60);
  const Result<SessionResult> result = run(document());
  ASSERT_TRUE(result) << result.error().message;
  const auto all = spans();
  std::map<std::string, const otel::FinishedSpan*> by_id;
  for (const auto& span : all) by_id[span.span_id.to_hex()] = &span;
  int roots = 0;
  const auto parent = [&](const otel::FinishedSpan& span) -> const otel::FinishedSpan* {
    const auto found = by_id.find(span.parent_id.to_hex());
    return found == by_id.end() ? nullptr : found->second;
  };
  for (const auto& span : all) {
    EXPECT_EQ(span.trace_id.to_hex(), result->trace_id) << span.name;
    if (!span.parent_id.is_valid()) {
      ++roots;
      EXPECT_EQ(span.name, "paper.session.run");
      continue;
    }
    ASSERT_NE(parent(span), nullptr) << span.name << " is an orphan";
    const std::string above = parent(span)->name;
    if (span.name == "paper.session.bar") EXPECT_EQ(above, "paper.session.run");
    if (span.name == "paper.session.submit_order") EXPECT_EQ(above, "paper.session.bar");
    if (span.name == "risk.check_pretrade" || span.name == "broker.submit_order") {
      EXPECT_EQ(above, "paper.session.submit_order");
    }
    if (span.name == "POST /v2/orders") {
      EXPECT_EQ(span.service_name, "alphaswarm-exchange");
      EXPECT_EQ(above, "POST");
      EXPECT_EQ(parent(*parent(span))->name, "broker.submit_order");
    } else if (span.kind != otel::SpanKind::server) {
      EXPECT_EQ(span.service_name, "alphaswarm-paper-trader") << span.name;
    }
  }
  EXPECT_EQ(roots, 1);
}

TEST_F(SessionTest, TheBusinessKeyStandsEverywhere) {
  store_bars(80);
  const Result<SessionResult> result = run(document());
  ASSERT_TRUE(result) << result.error().message;
  const auto orders = orders_of(result->run_id);
  ASSERT_FALSE(orders.empty());
  std::map<std::string, otel::FinishedSpan> submits;
  for (const auto& span : spans()) {
    if (span.name == "paper.session.submit_order") {
      const otel::TextAttributes& has = span.attributes;
      ASSERT_TRUE(has.contains("order.client_id"));
      EXPECT_EQ(has.at("order.type"), "market");
      EXPECT_EQ(has.at("risk.verdict"), "allow");
      EXPECT_TRUE(has.contains("order.quantity"));
      submits[has.at("order.client_id")] = span;
      for (const auto& event : span.events) {
        if (event.name != "order.fill") continue;
        EXPECT_TRUE(event.attributes.contains("price"));
        EXPECT_TRUE(event.attributes.contains("quantity"));
      }
    }
    if (span.name == "broker.submit_order") {
      EXPECT_EQ(span.attributes.at("broker.venue"), "sim");
      EXPECT_TRUE(span.attributes.contains("order.id"));
    }
    if (span.name == "risk.check_pretrade" || span.name == "broker.submit_order" ||
        span.name == "POST /v2/orders") {
      EXPECT_TRUE(span.attributes.contains("order.client_id")) << span.name;
    }
  }
  for (const auto& order : orders) {
    ASSERT_TRUE(submits.contains(order.client_order_id));
    const auto& span = submits[order.client_order_id];
    EXPECT_EQ(order.trace_id, span.trace_id.to_hex());
    EXPECT_EQ(order.span_id, span.span_id.to_hex());
    EXPECT_EQ(span.attributes.at("order.side"), order.side);
    EXPECT_FALSE(order.broker_order_id.empty());
    EXPECT_TRUE(order.client_order_id.starts_with(result->run_id));
  }
  for (const auto& fill : fills_of(result->run_id)) {
    EXPECT_TRUE(submits.contains(fill.client_order_id));
    EXPECT_EQ(fill.span_id, submits[fill.client_order_id].span_id.to_hex());
  }
  std::map<std::string, int> lines;
  for (const auto& line : ledger_of(result->run_id)) {
    ++lines[line.entry_type];
    EXPECT_FALSE(line.trace_id.empty());
    if (line.entry_type == "ORDER" || line.entry_type == "FILL") {
      EXPECT_FALSE(line.client_order_id.empty()) << line.message;
    }
    EXPECT_NE(line.level, "error") << line.message;
  }
  EXPECT_EQ(lines["FILL"], result->fills);
  EXPECT_GE(lines["ORDER"], result->orders);
  EXPECT_GE(lines["SIGNAL"], result->orders);
  EXPECT_EQ(lines["META"], 1);
  const auto signals =
      persistence::SignalRepository(*services_.database).count_for_run(result->run_id);
  EXPECT_EQ(*signals, lines["SIGNAL"]);
}

struct Parity {
  const char* name;
  const char* changes;
  int least_fills;
};

class SameAsBacktest : public SessionFixture, public ::testing::WithParamInterface<Parity> {};

TEST_P(SameAsBacktest, FillForFill) {
  store_bars(400);
  store_bars(300, "OTHER.TEST", 1.7);  // ends earlier: steps with one bar only
  json::object config = document(GetParam().changes);
  config["session"].as_object()["universe"] = json::array{"SWING.TEST", "OTHER.TEST"};
  const Result<SessionResult> result = run(config);
  ASSERT_TRUE(result) << result.error().message;
  const auto parsed = parse_backtest_config(config);
  ASSERT_TRUE(parsed) << parsed.error().message;
  Dataset data{.interval = Interval::day, .series = {}};
  for (const auto& [symbol, count, phase] :
       {std::tuple("OTHER.TEST", 300, 1.7), std::tuple("SWING.TEST", 400, 0.0)}) {
    Series series{.symbol = *VtSymbol::parse(symbol), .bars = {}};
    for (const auto& row : make_bars(count, symbol, phase)) {
      series.bars.push_back({row.timestamp, Price(row.open), Price(row.high), Price(row.low),
                             Price(row.close), Quantity(row.volume)});
    }
    data.series.push_back(std::move(series));
  }
  BacktestOptions options;
  options.run_id = result->run_id;
  const auto backtest = run_backtest(*parsed, data, options);
  ASSERT_TRUE(backtest) << backtest.error().message;
  const auto fills = fills_of(result->run_id);
  ASSERT_EQ(fills.size(), backtest->fills.size());
  EXPECT_GE(static_cast<int>(fills.size()), GetParam().least_fills);
  for (const Fill& fill : backtest->fills) {
    const auto same = std::ranges::find_if(fills, [&](const persistence::FillRow& row) {
      return row.client_order_id == fill.client_id.value && row.filled_at == fill.time;
    });
    ASSERT_NE(same, fills.end()) << fill.client_id.value;
    EXPECT_EQ(same->price, fill.price.value());
    EXPECT_EQ(same->quantity, fill.quantity.value());
    EXPECT_EQ(same->commission, fill.commission.value());
    EXPECT_EQ(same->side, to_string(fill.side));
  }
  EXPECT_EQ(result->final_equity, backtest->final_equity);
  EXPECT_EQ(result->realised, backtest->realised);
  EXPECT_EQ(result->orders, static_cast<std::int64_t>(backtest->orders.size()) + backtest->refused);
  EXPECT_NEAR(result->max_drawdown, backtest->metrics.max_drawdown, 1e-7);
  for (const auto& line : ledger_of(result->run_id)) EXPECT_NE(line.level, "error") << line.message;
}

INSTANTIATE_TEST_SUITE_P(
    Configurations, SameAsBacktest,
    ::testing::Values(
        Parity{"mean_reversion", "{}", 20},
        Parity{"short", R"({"strategy": {"params": {"lookback": 10, "z_threshold": 1.2,
                                                     "allow_short": true}}})",
               40},
        Parity{"partial", R"({"brokerage": {"params": {"max_fill_share": 0.4}}})", 20},
        Parity{"costly", R"({"brokerage": {"params": {"slippage_bps": 30,
                                                       "commission_rate": 0.01}}})",
               20},
        Parity{"sma_cross", R"({"strategy": {"name": "sma_cross", "params": {}}})", 10},
        Parity{"momentum", R"({"strategy": {"name": "momentum", "params": {"lookback": 30}}})", 2},
        Parity{"buy_and_hold", R"({"strategy": {"name": "buy_and_hold", "params": {}}})", 2},
        Parity{"tight_risk", R"({"risk": {"max_drawdown_pct": 0.01}})", 1}),
    [](const auto& info) { return std::string(info.param.name); });

// The shape of the first bars that trade, as a picture.
TEST_F(SessionTest, TheTreeOfABarThatTrades) {
  store_bars(14);
  services_.progress = nullptr;
  const Result<SessionResult> result = run(document(R"({"session": {"universe": ["SWING.TEST"],
      "state_flush_every_bars": 100}, "strategy": {"name": "buy_and_hold", "params": {}}})"));
  ASSERT_TRUE(result) << result.error().message;
  std::ignore = spans();
  const std::string tree = sink_->tree();
  const std::string expected =
      "  paper.session.bar\n"
      "    SELECT kill_switch\n"
      "    POST\n"
      "      POST /sim/v1/advance\n"
      "    paper.session.submit_order\n"
      "      risk.check_pretrade\n"
      "      SELECT kill_switch\n"
      "      broker.submit_order\n"
      "        POST\n"
      "          POST /v2/orders\n"
      "    BEGIN\n"
      "    INSERT orders\n"
      "    INSERT signals\n"
      "    INSERT ledger_entries\n"
      "    COMMIT\n"
      "  paper.session.bar\n"
      "    SELECT kill_switch\n"
      "    POST\n"
      "      POST /sim/v1/advance\n"
      "    BEGIN\n"
      "    INSERT orders\n"
      "    INSERT fills\n"
      "    INSERT ledger_entries\n"
      "    COMMIT\n"
      "  paper.session.bar\n"
      "    SELECT kill_switch\n"
      "    POST\n"
      "      POST /sim/v1/advance\n"
      "  paper.session.bar\n";
  EXPECT_NE(tree.find(expected), std::string::npos) << tree;
}

TEST_F(SessionTest, AYearsSessionIsQuick) {
  store_bars(1259);
  const auto start = std::chrono::steady_clock::now();
  const Result<SessionResult> result = run(document());
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->bars_seen, 1259);
  RecordProperty("seconds", std::to_string(took.count()));
  RecordProperty("spans", static_cast<int>(spans().size()));
  EXPECT_LT(took.count(), 20);  // a bound for sanitizers and loaded machines, not the aim
}

TEST_F(SessionTest, WithoutBarsThereIsNoSession) {
  const Result<SessionResult> result = run(document(), "no-bars");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::not_found);
  const auto row = persistence::RunRepository(*services_.database).find_by_task("no-bars");
  ASSERT_TRUE(row && *row);
  EXPECT_EQ((*row)->status, "error");
  EXPECT_FALSE((*row)->error.empty());
  const auto all = spans();
  const auto session = std::ranges::find(all, "paper.session.run", &otel::FinishedSpan::name);
  ASSERT_NE(session, all.end());
  EXPECT_EQ(session->status, otel::StatusCode::error);
}

TEST_F(SessionTest, MaxBarsAndWarmUp) {
  store_bars(100);
  const Result<SessionResult> cold =
      run(document(R"({"session": {"max_bars": 30, "universe": ["SWING.TEST"]},
                       "feed": {"params": {"start": "2015-02-01"}}})"));
  ASSERT_TRUE(cold) << cold.error().message;
  EXPECT_EQ(cold->bars_seen, 30);
  const Result<SessionResult> warm =
      run(document(R"({"session": {"max_bars": 30, "universe": ["SWING.TEST"]},
                       "feed": {"params": {"start": "2015-02-01", "warmup_bars": 20}}})"));
  ASSERT_TRUE(warm) << warm.error().message;
  EXPECT_EQ(warm->bars_seen, 30);
  EXPECT_GT(warm->orders, cold->orders);
}

TEST_F(SessionTest, ADryRunSubmitsNothing) {
  store_bars(100);
  const Result<SessionResult> result = run(document(R"({"session": {"dry_run": true,
      "universe": ["SWING.TEST"]}})"));
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->status, "completed");
  EXPECT_EQ(result->fills, 0);
  auto names = count_names(spans());
  EXPECT_EQ(names["broker.submit_order"], 0);
  const auto orders = orders_of(result->run_id);
  EXPECT_EQ(names["paper.session.submit_order"], static_cast<int>(orders.size()));
  ASSERT_FALSE(orders.empty());
  EXPECT_EQ(orders[0].status, "rejected");
  EXPECT_EQ(orders[0].status_reason, "dry run");
}

TEST_F(SessionTest, RiskRefusalsAreRecordedAsOrders) {
  store_bars(100);
  const Result<SessionResult> result = run(document(R"({"risk": {"max_position_pct": 0.05}})"));
  ASSERT_TRUE(result) << result.error().message;
  const auto orders = orders_of(result->run_id);
  ASSERT_FALSE(orders.empty());
  for (const auto& order : orders) {
    EXPECT_EQ(order.status, "rejected");
    EXPECT_NE(order.status_reason.find("max_position_pct"), std::string::npos);
  }
  for (const auto& span : spans()) {
    if (span.name == "paper.session.submit_order") {
      EXPECT_EQ(span.attributes.at("risk.verdict"), "reject");
    }
  }
  const auto lines = ledger_of(result->run_id);
  EXPECT_TRUE(std::ranges::any_of(lines, [](const auto& line) {
    return line.entry_type == "RISK" && !line.client_order_id.empty();
  }));
}

TEST_F(SessionTest, ConfigurationMistakesNameTheirPlace) {
  const auto issues = [](const std::string& text) {
    const auto parsed = parse_session_config(json::parse(text).as_object());
    return parsed ? std::string("fine") : to_error(parsed.error()).message;
  };
  EXPECT_EQ(issues("{}"), "fine");
  EXPECT_EQ(issues(R"({"session": {"heartbeat_seconds": 0, "dry_run": "no"}})"),
            "session.heartbeat_seconds: must be from 0.01 to 3600, got 0; "
            "session.dry_run: must be true or false, got \"no\"");
  for (const char* part : {"session.state_flush_every_bars", "1000"}) {
    EXPECT_NE(issues(R"({"session": {"state_flush_every_bars": 5000}})").find(part),
              std::string::npos);
  }
  EXPECT_NE(issues(R"({"brokerage": {"venue": "nyse"}})").find("brokerage.venue"),
            std::string::npos);
  EXPECT_NE(issues(R"({"feed": {"kind": "live"}})").find("feed.kind"), std::string::npos);
  EXPECT_NE(issues(R"({"feed": {"params": {"speed": -1}}})").find("feed.params.speed"),
            std::string::npos);
  EXPECT_NE(issues(R"({"session": {"what": 1}})").find("what"), std::string::npos);
  EXPECT_NE(issues(R"({"strategy": {"name": "magic"}})").find("magic"), std::string::npos);
  EXPECT_NE(issues(R"({"risk": {"max_drawdown_pct": 7}})").find("max_drawdown_pct"),
            std::string::npos);
  const auto config = parse_session_config(document());
  ASSERT_TRUE(config);
  const auto again = parse_session_config(to_json(*config));
  ASSERT_TRUE(again) << to_error(again.error()).message;
  EXPECT_EQ(to_json(*again), to_json(*config));
}

}  // namespace
}  // namespace alphaswarm::trading::paper
