#include "alphaswarm/api/routes/portfolio.hpp"

#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <string>

#include "alphaswarm/api/testing/service.hpp"
#include "alphaswarm/persistence/fill_repository.hpp"
#include "alphaswarm/persistence/ledger_repository.hpp"
#include "alphaswarm/persistence/order_repository.hpp"
#include "alphaswarm/tasks/bus.hpp"

namespace alphaswarm::api {
namespace {

using testing::Service;

persistence::OrderRow order(std::string id, std::string run_id, std::int64_t created) {
  persistence::OrderRow row;
  row.client_order_id = std::move(id);
  row.run_id = std::move(run_id);
  row.venue = "sim";
  row.vt_symbol = "AAPL.SIM";
  row.side = "buy";
  row.order_type = "market";
  row.time_in_force = "day";
  row.quantity = Decimal::from_integer(57);
  row.filled_quantity = Decimal::from_integer(57);
  row.average_price = *Decimal::parse("167.42000001");
  row.status = "filled";
  row.trace_id = "0af7651916cd43dd8448eb211c80319c";
  row.span_id = "b7ad6b7169203331";
  row.created_at = row.updated_at = UnixNanos{created};
  return row;
}

TEST(PortfolioRoutes, ListOrdersWithTheirSpans) {
  Service service;
  persistence::OrderRepository orders(service.database());
  ASSERT_TRUE(orders.insert(order("a-1", "a", 1)).has_value());
  ASSERT_TRUE(orders.insert(order("b-1", "b", 2)).has_value());
  const auto all = service.get_json("/portfolio/orders", "Order[]");
  ASSERT_EQ(all.as_array().size(), 2U);
  EXPECT_EQ(all.at(0).at("client_order_id").as_string(), "b-1");
  EXPECT_EQ(all.at(0).at("span_id").as_string(), "b7ad6b7169203331");
  EXPECT_TRUE(all.at(0).at("broker_order_id").is_null());
  EXPECT_EQ(service.get_json("/portfolio/orders?limit=1", "Order[]").as_array().size(), 1U);
  const auto one = service.get_json("/portfolio/orders?run_id=a", "Order[]");
  ASSERT_EQ(one.as_array().size(), 1U);
  EXPECT_EQ(one.at(0).at("client_order_id").as_string(), "a-1");
  (void)service.call("GET", "/portfolio/orders?limit=many", "", 422, "ValidationErrors");
}

TEST(PortfolioRoutes, ListFillsAndLedgerLines) {
  Service service;
  persistence::FillRow fill;
  fill.client_order_id = "a-1";
  fill.run_id = "a";
  fill.vt_symbol = "AAPL.SIM";
  fill.side = "buy";
  fill.quantity = Decimal::from_integer(57);
  fill.price = *Decimal::parse("167.42");
  fill.filled_at = UnixNanos{1};
  ASSERT_TRUE(persistence::FillRepository(service.database()).insert(fill).has_value());
  persistence::LedgerRow line;
  line.run_id = "a";
  line.entry_type = "RISK";
  line.level = "warning";
  line.message = "refused: \"too big\"";
  line.payload_json = R"({"limit":"max_position_pct"})";
  line.trace_id = "0af7651916cd43dd8448eb211c80319c";
  line.span_id = "b7ad6b7169203331";
  ASSERT_TRUE(persistence::LedgerRepository(service.database()).append(line).has_value());
  const auto fills = service.get_json("/portfolio/fills?run_id=a", "Fill[]");
  ASSERT_EQ(fills.as_array().size(), 1U);
  EXPECT_EQ(fills.at(0).at("price").to_number<double>(), 167.42);
  const auto ledger = service.get_json("/portfolio/ledger", "LedgerEntry[]");
  ASSERT_EQ(ledger.as_array().size(), 1U);
  EXPECT_EQ(ledger.at(0).at("payload").at("limit").as_string(), "max_position_pct");
  EXPECT_EQ(ledger.at(0).at("message").as_string(), "refused: \"too big\"");
  EXPECT_TRUE(service.get_json("/portfolio/ledger?run_id=b", "LedgerEntry[]").as_array().empty());
}

TEST(KillSwitchRoutes, EngageShowAndRelease) {
  Service service;
  EXPECT_FALSE(service.get_json("/portfolio/kill_switch", "KillSwitch").at("engaged").as_bool());
  const auto engaged = service.call("POST", "/portfolio/kill_switch",
                                    R"({"engage":true,"reason":"drill"})", 200, "KillSwitch");
  EXPECT_TRUE(engaged.at("engaged").as_bool());
  EXPECT_EQ(engaged.at("reason").as_string(), "drill");
  EXPECT_EQ(service.get_json("/portfolio/kill_switch", "KillSwitch"), engaged);
  const auto key = net::block_on(service.client_runtime(),
                                 service.bus()->get(std::string(trading::kKillSwitchKey)));
  EXPECT_EQ(key.value().value_or("absent"), "drill");
  const auto released = service.call("POST", "/portfolio/kill_switch",
                                     R"({"engage":false,"reason":""})", 200, "KillSwitch");
  EXPECT_FALSE(released.at("engaged").as_bool());
}

TEST(KillSwitchRoutes, RefuseABodyThatDoesNotSayWhat) {
  Service service;
  const auto wrong = service.call("POST", "/portfolio/kill_switch", R"({"engaged":"yes"})", 422,
                                  "ValidationErrors");
  EXPECT_EQ(wrong.at("detail").as_array().size(), 2U);
  EXPECT_FALSE(service.get_json("/portfolio/kill_switch", "KillSwitch").at("engaged").as_bool());
}

}  // namespace
}  // namespace alphaswarm::api
