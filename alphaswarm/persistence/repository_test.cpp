#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "alphaswarm/persistence/backtest_repository.hpp"
#include "alphaswarm/persistence/bar_repository.hpp"
#include "alphaswarm/persistence/fill_repository.hpp"
#include "alphaswarm/persistence/kill_switch_repository.hpp"
#include "alphaswarm/persistence/ledger_repository.hpp"
#include "alphaswarm/persistence/order_repository.hpp"
#include "alphaswarm/persistence/run_repository.hpp"
#include "alphaswarm/persistence/signal_repository.hpp"
#include "alphaswarm/persistence/task_repository.hpp"
#include "alphaswarm/persistence/test_support.hpp"

namespace alphaswarm::persistence {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

using test::decimal;

class RepositoryTest : public test::EachDatabase {
 protected:
  test::NotingObserver observer_;
  std::shared_ptr<Database> database_ = test::open_migrated(fresh_url(), &observer_);
};

INSTANTIATE_TEST_SUITE_P(Each, RepositoryTest, test::kEachDatabase, test::name_of_kind);

RunRow run_row(const std::string& id) {
  RunRow row;
  row.id = id;
  row.task_id = "task-of-" + id;
  row.trace_id = "0af7651916cd43dd8448eb211c80319c";
  row.run_name = "paper-adhoc";
  row.strategy = "mean_reversion";
  row.brokerage = "sim";
  row.feed = "replay";
  row.status = "running";
  row.started_at = {5};
  row.initial_cash = decimal("100000");
  row.realised_pnl = decimal("-12.34567891");
  row.max_drawdown = 0.0125;
  row.bars_seen = 7;
  row.config_json = R"({"a":"ü"})";
  return row;
}

TEST_P(RepositoryTest, RunsRoundTripEveryColumn) {
  RunRepository runs(*database_);
  RunRow row = run_row("r1");
  ASSERT_TRUE(runs.insert(row));
  EXPECT_EQ(**runs.find("r1"), row);
  row.last_heartbeat_at = UnixNanos{9};
  row.stopped_at = UnixNanos{10};
  row.final_equity = decimal("100123.45");
  row.status = "completed";
  row.status_reason = "end of the feed";
  row.state_json = R"({"cash":"1"})";
  row.orders_submitted = 3;
  row.fills = 2;
  row.error = "none";
  ASSERT_TRUE(runs.update(row));
  EXPECT_EQ(**runs.find("r1"), row);
  EXPECT_EQ(**runs.find_by_task("task-of-r1"), row);
  EXPECT_FALSE(*runs.find("r2"));
  const auto missing = runs.update(run_row("r2"));
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::not_found);
  const auto twice = runs.insert(row);
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().code, ErrorCode::already_exists);
  ASSERT_TRUE(runs.insert(run_row("r2")));
  EXPECT_EQ(runs.list(1)->front().id, "r2");
  EXPECT_EQ(runs.with_status("running")->size(), 1U);
}

TEST_P(RepositoryTest, BacktestsRoundTripWithTheirCurves) {
  BacktestRepository backtests(*database_);
  BacktestRow row;
  row.id = "b1";
  row.task_id = "t1";
  row.status = "running";
  row.initial_cash = decimal("100000");
  row.created_at = {1};
  ASSERT_TRUE(backtests.insert(row));
  EXPECT_EQ(**backtests.find("b1"), row);
  row.sharpe = 1.25;
  row.max_drawdown = 0.5;
  row.final_equity = decimal("1.5");
  row.start_time = UnixNanos{2};
  row.finished_at = UnixNanos{3};
  row.dataset_hash = "abc";
  ASSERT_TRUE(backtests.update(row));
  EXPECT_EQ(**backtests.find_by_task("t1"), row);
  EXPECT_EQ(backtests.list(10)->size(), 1U);

  std::vector<EquityPoint> curve = {{{1}, decimal("100000"), 0}, {{2}, decimal("99000"), 0.01}};
  ASSERT_TRUE(backtests.store_curve("b1", curve));
  EXPECT_EQ(*backtests.curve("b1"), curve);
  curve.pop_back();
  ASSERT_TRUE(backtests.store_curve("b1", curve));
  EXPECT_EQ(*backtests.curve("b1"), curve);
  curve.push_back(curve.front());
  EXPECT_FALSE(backtests.store_curve("b1", curve));  // and the old one is still there
  EXPECT_EQ(backtests.curve("b1")->size(), 1U);
  const auto nobody = backtests.store_curve("b2", curve);
  ASSERT_FALSE(nobody);
  EXPECT_THAT(nobody.error().message, HasSubstr("23503"));
}

OrderRow order_row(const std::string& id, const std::string& status) {
  OrderRow row;
  row.client_order_id = id;
  row.run_id = "r1";
  row.venue = "sim";
  row.vt_symbol = "AAPL.NASDAQ";
  row.side = "buy";
  row.order_type = "limit";
  row.time_in_force = "day";
  row.quantity = decimal("10");
  row.limit_price = decimal("99.99");
  row.status = status;
  row.trace_id = "0af7651916cd43dd8448eb211c80319c";
  row.span_id = "b7ad6b7169203331";
  row.created_at = {1};
  row.updated_at = {1};
  return row;
}

TEST_P(RepositoryTest, OrdersFollowTheirUpdates) {
  OrderRepository orders(*database_);
  OrderRow row = order_row("o1", "new");
  ASSERT_TRUE(orders.insert(row));
  EXPECT_EQ(orders.insert(row).error().code, ErrorCode::already_exists);
  row.status = "filled";
  row.filled_quantity = decimal("10");
  row.average_price = decimal("99.98");
  ASSERT_TRUE(orders.upsert(row));
  EXPECT_EQ(**orders.find("o1"), row);
  ASSERT_TRUE(orders.upsert(order_row("o2", "partial")));
  ASSERT_TRUE(orders.upsert(order_row("o3", "submitting")));
  std::vector<std::string> open;
  for (const OrderRow& order : *orders.open_orders("r1")) open.push_back(order.client_order_id);
  EXPECT_THAT(open, ElementsAre("o2", "o3"));
  EXPECT_EQ(orders.for_run("r1", 2)->front().client_order_id, "o3");
  EXPECT_EQ(orders.list(10)->size(), 3U);
  EXPECT_EQ(*orders.count_for_run("r1"), 3);
  EXPECT_EQ(*orders.count_for_run("r2"), 0);
}

TEST_P(RepositoryTest, OrdersThatEndedRunsHaveLeftOpen) {
  OrderRepository orders(*database_);
  RunRepository runs(*database_);
  for (const char* status : {"filled", "partial", "submitting", "rejected"}) {
    OrderRow row = order_row(status, status);
    row.venue = "alpaca";
    ASSERT_TRUE(orders.insert(row));
  }
  ASSERT_TRUE(orders.insert(order_row("simulated", "new")));
  RunRow run = run_row("r1");
  run.status = "running";
  ASSERT_TRUE(runs.insert(run));
  EXPECT_TRUE(orders.left_open()->empty());
  run.status = "cancelled";
  ASSERT_TRUE(runs.update(run));
  std::vector<std::string> open;
  for (const OrderRow& order : *orders.left_open()) open.push_back(order.client_order_id);
  EXPECT_THAT(open, ElementsAre("partial", "submitting"));
}

TEST_P(RepositoryTest, AFillReportedTwiceCountsOnce) {
  FillRepository fills(*database_);
  FillRow row;
  row.id = "execution-1";
  row.client_order_id = "o1";
  row.run_id = "r1";
  row.vt_symbol = "AAPL.NASDAQ";
  row.side = "buy";
  row.quantity = decimal("10");
  row.price = decimal("99.98");
  row.commission = decimal("0.4999");
  row.filled_at = {5};
  row.created_at = {6};
  EXPECT_TRUE(*fills.insert(row));
  EXPECT_FALSE(*fills.insert(row));
  EXPECT_THAT(*fills.for_order("o1"), ElementsAre(row));
  row.id.clear();
  row.created_at = {};
  EXPECT_TRUE(*fills.insert(row));
  const auto all = fills.for_run("r1", 10);
  ASSERT_EQ(all->size(), 2U);
  EXPECT_EQ(all->front().id.size(), 36U);  // made here
  EXPECT_GT(all->front().created_at.value, 0);
  EXPECT_EQ(fills.list(1)->size(), 1U);
  EXPECT_EQ(*fills.count_for_run("r1"), 2);
}

TEST_P(RepositoryTest, LedgerLinesKeepTheirOrderAndSpan) {
  LedgerRepository ledger(*database_);
  std::vector<LedgerRow> rows(3);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i].run_id = "r1";
    rows[i].entry_type = "RISK";
    rows[i].level = "info";
    rows[i].message = std::to_string(i);
    rows[i].trace_id = "0af7651916cd43dd8448eb211c80319c";
    rows[i].span_id = "b7ad6b7169203331";
    rows[i].created_at = {7};
  }
  observer_.take();
  ASSERT_TRUE(ledger.append(rows));
  EXPECT_THAT(observer_.take(), ElementsAre("BEGIN", "INSERT ledger_entries", "COMMIT"));
  const auto newest = ledger.for_run("r1", 2);
  ASSERT_EQ(newest->size(), 2U);
  EXPECT_EQ(newest->at(0).message, "2");
  EXPECT_EQ(newest->at(1).message, "1");
  EXPECT_EQ(newest->at(0).span_id, "b7ad6b7169203331");
  rows[0].entry_type = "GUESS";
  const auto refused = ledger.append(rows[0]);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(ledger.list(10)->size(), 3U);
  EXPECT_EQ(*ledger.count_for_run("r1"), 3);
}

TEST_P(RepositoryTest, SignalsRoundTrip) {
  SignalRepository signals(*database_);
  SignalRow row;
  row.id = "s1";
  row.run_id = "r1";
  row.strategy = "mean_reversion";
  row.vt_symbol = "AAPL.NASDAQ";
  row.bar_time = {4};
  row.side = "buy";
  row.strength = -2.25;
  row.reason = "z below -2";
  row.created_at = {5};
  ASSERT_TRUE(signals.append(row));
  EXPECT_THAT(*signals.for_run("r1", 10), ElementsAre(row));
  EXPECT_EQ(*signals.count_for_run("r1"), 1);
}

TEST_P(RepositoryTest, ATaskEndsOnce) {
  TaskRepository tasks(*database_);
  TaskRow row;
  row.id = "t1";
  row.name = "alphaswarm.tasks.paper_tasks.run_paper";
  row.queue = "paper";
  row.status = "PENDING";
  row.options_json = R"({"priority":3})";
  row.created_at = {1};
  EXPECT_TRUE(*tasks.insert(row));
  EXPECT_FALSE(*tasks.insert(row));
  EXPECT_EQ(**tasks.find("t1"), row);
  ASSERT_TRUE(tasks.mark_started("t1", "celery@host", 0, {2}));
  ASSERT_TRUE(tasks.mark_retry("t1", "away", 1, R"({"priority":6})"));
  EXPECT_EQ((*tasks.find("t1"))->options_json, R"({"priority":6})");
  ASSERT_TRUE(tasks.mark_started("t1", "celery@host", 1, {3}));
  EXPECT_EQ((*tasks.find("t1"))->started_at, UnixNanos{2});  // of the first attempt
  // A second message of the same try, at another worker, at its own, and of the next try.
  EXPECT_FALSE(tasks.mark_started("t1", "celery@other", 1, {3}, false));
  EXPECT_TRUE(tasks.mark_started("t1", "celery@host", 1, {3}, false));
  EXPECT_TRUE(tasks.mark_started("t1", "celery@other", 2, {3}, false));
  EXPECT_TRUE(tasks.mark_started("t1", "celery@host", 2, {3}));
  EXPECT_FALSE(tasks.mark_started("t1", "celery@host", 1, {3})) << "a try that is over";
  EXPECT_TRUE(*tasks.store_terminal_frame("t1", "{}"));
  EXPECT_FALSE(*tasks.store_terminal_frame("t1", "{\"late\":1}"));
  EXPECT_EQ(tasks.unfinished()->size(), 1U);
  EXPECT_TRUE(*tasks.mark_finished("t1", "SUCCESS", "42", "", {4}, "Traceback"));
  EXPECT_EQ(tasks.unfinished()->size(), 0U);
  EXPECT_FALSE(*tasks.mark_finished("t1", "FAILURE", "", "late", {5}));
  EXPECT_FALSE(tasks.mark_started("t1", "celery@host", 2, {6}));
  const TaskRow end = **tasks.find("t1");
  EXPECT_EQ(end.status, "SUCCESS");
  EXPECT_EQ(end.result_json, "42");
  EXPECT_EQ(end.traceback, "Traceback");
  EXPECT_EQ(end.terminal_frame_json, "{}");
  EXPECT_EQ(end.finished_at, UnixNanos{4});
  EXPECT_EQ(tasks.mark_finished("t2", "SUCCESS", "", "", {4}).error().code, ErrorCode::not_found);
  EXPECT_EQ(tasks.store_terminal_frame("t2", "{}").error().code, ErrorCode::not_found);
  EXPECT_EQ(tasks.list(10)->size(), 1U);
}

TEST_P(RepositoryTest, TheKillSwitchIsReleasedUntilItIsEngaged) {
  KillSwitchRepository kill_switch(*database_);
  EXPECT_EQ(*kill_switch.get(), KillSwitchRow{});
  ASSERT_TRUE(kill_switch.set(true, "drill", {5}));
  EXPECT_EQ(*kill_switch.get(), (KillSwitchRow{true, "drill", {5}}));
  ASSERT_TRUE(kill_switch.set(false, "", {6}));
  EXPECT_EQ(*kill_switch.get(), (KillSwitchRow{false, "", {6}}));
}

TEST_P(RepositoryTest, RowsOfSeveralTablesGoInOneTransaction) {
  observer_.take();
  {
    auto transaction = database_->begin();
    ASSERT_TRUE(transaction);
    ASSERT_TRUE(OrderRepository(*transaction).upsert(order_row("o1", "new")));
    LedgerRow line;
    line.entry_type = "ORDER";
    ASSERT_TRUE(LedgerRepository(*transaction).append(line));
    ASSERT_TRUE(BarRepository(*transaction).upsert(std::vector<BarRow>{test::bar(1, "5")}));
    // No commit.
  }
  EXPECT_THAT(observer_.take(), ElementsAre("BEGIN", "INSERT orders", "INSERT ledger_entries",
                                            "INSERT bars", "ROLLBACK"));
  EXPECT_EQ(OrderRepository(*database_).list(10)->size(), 0U);
  EXPECT_EQ(LedgerRepository(*database_).list(10)->size(), 0U);
  EXPECT_EQ(*BarRepository(*database_).count("AAPL.NASDAQ", "1d"), 0);
}

}  // namespace
}  // namespace alphaswarm::persistence
