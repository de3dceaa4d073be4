// The table of manual spans, row by row: what each carries, from the code that starts it.

#include <algorithm>
#include <fstream>
#include <span>

#include "alphaswarm/trading/broker/alpaca_broker.hpp"
#include "alphaswarm/trading/broker/sim_broker.hpp"
#include "alphaswarm/trading/broker/tradier_broker.hpp"
#include "alphaswarm/trading/broker/tradier_server_for_tests.hpp"
#include "alphaswarm/trading/ingestion/ingest.hpp"
#include "alphaswarm/trading/kill_switch/kill_switch.hpp"
#include "alphaswarm/trading/paper/session.hpp"
#include "alphaswarm/trading/paper/session_fixture.hpp"

namespace alphaswarm::trading::paper {
namespace {

class ManualSpans : public SessionFixture {
 protected:
  ManualSpans() { paper_->install_as_default(); }

  using Expected = std::map<std::string, std::string>;  // "*": any value that is not empty
  static void expect_attributes(const otel::FinishedSpan& span, const Expected& expected) {
    SCOPED_TRACE(span.name);
    EXPECT_EQ(span.kind, otel::SpanKind::internal);
    for (const auto& [key, value] : expected) {
      const auto found =
          std::ranges::find(span.attributes, key, [](const auto& one) { return one.first; });
      if (found == span.attributes.end()) {
        ADD_FAILURE() << key << " is missing";
      } else if (value == "*") {
        EXPECT_NE(found->second, "") << key;
      } else {
        EXPECT_EQ(found->second, value) << key;
      }
    }
  }
  otel::FinishedSpan first(std::string_view name) {
    std::vector<otel::FinishedSpan> found = spans();
    std::erase_if(found, [&](const otel::FinishedSpan& span) { return span.name != name; });
    if (!found.empty()) return *std::ranges::min_element(found, {}, &otel::FinishedSpan::start_ns);
    ADD_FAILURE() << "there is no span " << name;
    return {};
  }
};

TEST_F(ManualSpans, OfASession) {
  store_bars(60);
  const Result<SessionResult> result = run(document(), "task-7");
  ASSERT_TRUE(result) << result.error().message;
  const struct {
    const char* name;
    Expected attributes;
  } table[] = {
      {"paper.session.run",
       {{"alphaswarm.run_id", result->run_id},
        {"alphaswarm.task_id", "task-7"},
        {"alphaswarm.run_name", "test"},
        {"strategy.name", "mean_reversion"},
        {"broker.venue", "sim"}}},
      {"paper.session.bar",
       {{"market.symbol", "SWING.TEST"},
        {"market.bar_time", "2015-01-01T00:00:00.000000000Z"},
        {"paper.bar_index", "0"}}},
      {"paper.session.submit_order",
       {{"order.client_id", "*"},
        {"order.side", "*"},
        {"order.type", "market"},
        {"order.quantity", "*"},
        {"risk.verdict", "allow"}}},
      {"risk.check_pretrade", {{"risk.verdict", "allow"}}},
      {"broker.submit_order",
       {{"broker.venue", "sim"}, {"order.client_id", "*"}, {"order.id", "*"}}},
      {"ws.publish",
       {{"alphaswarm.namespace", "task"},
        {"alphaswarm.channel_id", "task-7"},
        {"alphaswarm.payload_kind", "*"}}},
  };
  for (const auto& row : table) expect_attributes(first(row.name), row.attributes);
  const auto all = spans();
  const auto fill = std::ranges::find_if(all, [](const otel::FinishedSpan& span) {
    return std::ranges::any_of(span.events,
                               [](const auto& one) { return one.name == "order.fill"; });
  });
  ASSERT_NE(fill, all.end());
  EXPECT_EQ(fill->name, "paper.session.submit_order");
}

TEST_F(ManualSpans, OfARefusedOrder) {
  store_bars(60);
  boost::json::object config = document();
  config["risk"] = {{"max_position_pct", 0.01}};
  ASSERT_TRUE(run(config));
  expect_attributes(first("risk.check_pretrade"), {{"risk.verdict", "*"}, {"risk.breaches", "*"}});
}

TEST_F(ManualSpans, OfAnIngestedFile) {
  const std::string path = (folder_ / "bars.csv").string();
  std::ofstream(path) << "Date,Close\n2020-01-01,10\n2020-01-02,11\nyesterday,12\n";
  ASSERT_TRUE(ingest_file(*services_.database, path, {}));
  expect_attributes(first("ingest.file"), {{"ingest.path", path},
                                           {"ingest.rows_read", "3"},
                                           {"ingest.rows_written", "2"},
                                           {"ingest.rows_rejected", "1"}});
}

TEST_F(ManualSpans, OfTheKillSwitch) {
  KillSwitch kill_switch(services_.bus, services_.database);
  ASSERT_TRUE(net::block_on(runtime_, kill_switch.engage("drill")));
  ASSERT_TRUE(net::block_on(runtime_, kill_switch.release("over")));
  expect_attributes(first("kill_switch.engage"), {{"kill_switch.reason", "drill"}});
  expect_attributes(first("kill_switch.release"), {{"kill_switch.reason", "over"}});
}

TEST_F(ManualSpans, OfEveryCallOfABroker) {
  AlpacaConfig config;
  config.base_url = services_.exchange_url;
  config.key_id = config.secret_key = "by-hand";
  config.full_symbols = true;
  AlpacaBroker alpaca(config, *http_);
  SimConfig sim_config;
  sim_config.base_url = services_.exchange_url;
  sim_config.key_id = config.key_id;
  SimBroker sim(sim_config, *http_);
  ASSERT_TRUE(net::block_on(runtime_, sim.connect()));
  const SymbolBar bar{*VtSymbol::parse("SWING.TEST"),
                      {UnixNanos{86'400'000'000'000}, Price::of(12), Price::of(12), Price::of(12),
                       Price::of(12), Quantity::of(1000)}};
  ASSERT_TRUE(net::block_on(runtime_, sim.advance(0, std::span(&bar, 1))));
  TradierServer tradier_server;
  TradierConfig tradier_config;
  tradier_config.base_url = tradier_server.url();
  tradier_config.token = "secret-token";
  tradier_config.account_id = "VA1";
  TradierBroker tradier(tradier_config, *http_);
  for (Broker* const broker : std::initializer_list<Broker*>{&alpaca, &sim, &tradier}) {
    SCOPED_TRACE(broker->venue());
    sink_->clear();
    ASSERT_TRUE(net::block_on(runtime_, broker->connect()));
    OrderRequest order;
    order.client_id.value = std::string(broker->venue()) + "-1";
    order.symbol = *VtSymbol::parse("SWING.TEST");
    order.quantity = Quantity::of(1);
    order.type = OrderType::limit;
    order.limit_price = Price::of(1);
    order.time_in_force = TimeInForce::gtc;
    const auto sent = net::block_on(runtime_, broker->submit_order(order));
    ASSERT_TRUE(sent) << sent.error().message;
    ASSERT_TRUE(net::block_on(runtime_, broker->query_order(sent->id)));
    ASSERT_TRUE(net::block_on(runtime_, broker->cancel_order(sent->id)));
    ASSERT_TRUE(net::block_on(runtime_, broker->query_positions()));
    ASSERT_TRUE(net::block_on(runtime_, broker->query_account()));
    const std::string venue(broker->venue());
    for (const char* name : {"broker.query_positions", "broker.query_account"}) {
      expect_attributes(first(name), {{"broker.venue", venue}});
    }
    for (const char* name : {"broker.submit_order", "broker.query_order", "broker.cancel_order"}) {
      expect_attributes(first(name), {{"broker.venue", venue}, {"order.id", sent->id.value}});
    }
  }
}

}  // namespace
}  // namespace alphaswarm::trading::paper
