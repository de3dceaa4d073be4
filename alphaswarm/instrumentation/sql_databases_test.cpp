// The SQL rows of the instrumentation map, one table, on both databases.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "alphaswarm/instrumentation/spans_for_tests.hpp"
#include "alphaswarm/instrumentation/sql.hpp"
#include "alphaswarm/persistence/test_support.hpp"

namespace alphaswarm::instrumentation {
namespace {

namespace otel = alphaswarm::observability;
using persistence::Database;
using persistence::Param;
using persistence::Row;

class SqlMap : public persistence::test::EachDatabase {
 protected:
  std::shared_ptr<Database> open(const std::string& url) {
    persistence::DatabaseOptions options;
    options.observer = &observer_;
    options.busy_timeout = std::chrono::milliseconds(50);
    options.statement_timeout = std::chrono::milliseconds(500);
    auto database = Database::open(url, options);
    EXPECT_TRUE(database) << database.error().message;
    return *database;
  }
  // The attributes every SQL span of this database has.
  otel::TextAttributes common(const Database& database) const {
    otel::TextAttributes attributes{{"db.system.name", std::string(database.system())},
                                    {"db.namespace", std::string(database.name())}};
    if (is_postgres()) {
      attributes.emplace("server.address", "127.0.0.1");
      attributes.emplace("server.port", std::to_string(persistence::test::postgres().port()));
    }
    return attributes;
  }

  SpanKeeper spans_;
  TracingSqlObserver observer_{spans_.provider()};
};
INSTANTIATE_TEST_SUITE_P(Each, SqlMap, persistence::test::kEachDatabase,
                         persistence::test::name_of_kind);

TEST_P(SqlMap, EachStatementIsOneSpan) {
  auto database = open(fresh_url());
  ASSERT_TRUE(database->execute("CREATE TABLE orders (id BIGINT PRIMARY KEY, side TEXT NOT NULL)"));
  struct Case {
    std::string text;
    std::function<bool()> run;
    std::string name;
    std::string operation;
    std::string collection;
    std::string sqlstate;
  };
  const std::string insert = "INSERT INTO orders (id, side) VALUES ($1, $2)";
  const std::string update = "UPDATE orders SET side = $1 WHERE id = $2";
  const std::string select = "SELECT id FROM orders WHERE side = $1";
  const std::string unknown = "SELECT id FROM missing WHERE id = $1";
  const std::string copy =
      is_postgres() ? "COPY orders (id, side) FROM STDIN (FORMAT binary)" : insert;
  const std::string copies = is_postgres() ? "COPY" : "INSERT";
  const auto append = [&](std::int64_t id) {
    return database
        ->append("orders", std::vector<std::string_view>{"id", "side"}, 1,
                 [id](std::size_t, std::span<Param> params) {
                   params[0] = id;
                   params[1] = "secret";
                 })
        .has_value();
  };
  const Case cases[] = {
      {insert, [&] { return database->execute(insert, {1, "secret"}).has_value(); },
       "INSERT orders", "INSERT", "orders", ""},
      {insert, [&] { return database->execute(insert, {1, "secret"}).has_value(); },
       "INSERT orders", "INSERT", "orders", "23505"},
      {insert, [&] { return database->execute(insert, {2, nullptr}).has_value(); }, "INSERT orders",
       "INSERT", "orders", "23502"},
      {update, [&] { return database->execute(update, {"secret", 1}).has_value(); },
       "UPDATE orders", "UPDATE", "orders", ""},
      {select, [&] { return database->query(select, {"secret"}, [](const Row&) {}).has_value(); },
       "SELECT orders", "SELECT", "orders", ""},
      {unknown, [&] { return database->query(unknown, {1}, [](const Row&) {}).has_value(); },
       "SELECT missing", "SELECT", "missing", is_postgres() ? "42P01" : "42000"},
      {copy, [&] { return append(3); }, copies + " orders", copies, "orders", ""},
      {copy, [&] { return append(3); }, copies + " orders", copies, "orders", "23505"},
      {"SELEKT 1", [&] { return database->execute("SELEKT 1").has_value(); }, "SELEKT", "SELEKT",
       "", is_postgres() ? "42601" : "42000"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.text + " " + c.sqlstate);
    const std::size_t before = spans_.spans().size();
    EXPECT_EQ(c.run(), c.sqlstate.empty());
    auto all = spans_.spans();
    // A first read may open a reader of its own; many rows are a transaction.
    std::erase_if(all, [](const otel::FinishedSpan& span) {
      return span.name == "connect" || span.name == "COMMIT" || span.name == "ROLLBACK";
    });
    ASSERT_FALSE(all.empty());
    ASSERT_GT(spans_.spans().size(), before);
    const otel::FinishedSpan& span = all.back();
    EXPECT_EQ(span.name, c.name);
    EXPECT_EQ(span.kind, otel::SpanKind::client);
    otel::TextAttributes wanted = common(*database);
    wanted.emplace("db.query.text", c.text);
    wanted.emplace("db.operation.name", c.operation);
    if (!c.collection.empty()) wanted.emplace("db.collection.name", c.collection);
    if (!c.sqlstate.empty()) {
      wanted.emplace("db.response.status_code", c.sqlstate);
      wanted.emplace("error.type", c.sqlstate);
    }
    EXPECT_EQ(span.attributes, wanted);
    EXPECT_EQ(span.status, c.sqlstate.empty() ? otel::StatusCode::unset : otel::StatusCode::error);
    EXPECT_EQ(span.status_message.empty(), c.sqlstate.empty());
    EXPECT_EQ(span.status_message.find("secret"), std::string::npos);
  }
}

TEST_P(SqlMap, ATransactionAndABatchAreSpansOfTheirOwn) {
  auto database = open(fresh_url());
  ASSERT_TRUE(database->execute("CREATE TABLE fills (id BIGINT PRIMARY KEY)"));
  const std::size_t before = spans_.spans().size();
  ASSERT_TRUE(database->execute_each("INSERT INTO fills (id) VALUES ($1)", 1'000, 1,
                                     [](std::size_t i, std::span<Param> params) { params[0] = i; },
                                     {}));
  const auto all = spans_.spans();
  std::vector<std::string> names;
  for (std::size_t i = before; i < all.size(); ++i) names.push_back(all[i].name);
  EXPECT_THAT(names, ::testing::ElementsAre("BEGIN", "INSERT fills", "COMMIT"));
}

TEST_P(SqlMap, ConnectingHasASpanAlsoWhenItFails) {
  auto database = open(fresh_url());
  const otel::FinishedSpan connected = spans_.find("connect");
  EXPECT_EQ(connected.kind, otel::SpanKind::client);
  EXPECT_EQ(connected.attributes, common(*database));
  EXPECT_EQ(connected.status, otel::StatusCode::unset);

  SpanKeeper failing;
  TracingSqlObserver observer(failing.provider());
  const std::string nowhere = "sqlite:////no/such/folder/test.db";
  const std::string missing = persistence::test::postgres().url("missing");
  EXPECT_FALSE(Database::open(is_postgres() ? missing : nowhere, &observer));
  const otel::FinishedSpan failed = failing.only();
  EXPECT_EQ(failed.name, "connect");
  EXPECT_EQ(failed.status, otel::StatusCode::error);
  const std::string sqlstate = is_postgres() ? "3D000" : "08001";
  EXPECT_THAT(failed.attributes, ::testing::Contains(std::pair<const std::string, std::string>(
                                     "error.type", sqlstate)));
  EXPECT_THAT(failed.attributes, ::testing::Contains(std::pair<const std::string, std::string>(
                                     "db.response.status_code", sqlstate)));
  for (const auto& [key, value] : failed.attributes) {
    EXPECT_EQ(value.find(persistence::test::postgres().password()), std::string::npos) << key;
  }
  EXPECT_EQ(failed.status_message.find(persistence::test::postgres().password()),
            std::string::npos);
}

TEST_P(SqlMap, CommentsLeadFromTheServerToTheSpanAndLeaveTheRestAlone) {
  observer_.set_comments(true);
  auto database = open(fresh_url());
  if (!is_postgres()) {  // nobody else would see it
    ASSERT_TRUE(database->query("SELECT 1", {}, [](const Row&) {}));
    EXPECT_EQ(spans_.find("SELECT").attributes.at("db.query.text"), "SELECT 1");
    return;
  }
  const std::string own = "SELECT query FROM pg_stat_activity WHERE pid = pg_backend_pid()";
  const std::string kept = "SELECT count(*) FROM pg_prepared_statements";
  std::string seen;
  std::vector<std::int64_t> prepared;
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(database->query(own, {}, [&](const Row& row) { seen = row.text(0); }));
    ASSERT_TRUE(
        database->query(kept, {}, [&](const Row& row) { prepared.push_back(row.integer(0)); }));
  }
  otel::FinishedSpan span;
  for (const auto& one : spans_.spans()) {
    if (one.name == "SELECT pg_stat_activity") span = one;
  }
  EXPECT_EQ(seen, own + " /*traceparent='00-" + span.trace_id.to_hex() + "-" +
                      span.span_id.to_hex() + "-" + seen.substr(seen.size() - 5));
  EXPECT_EQ(prepared[1], prepared[2]);
  for (const auto& [key, value] : span.attributes) {
    if (key == "db.query.text") EXPECT_EQ(value, own);
  }
}

}  // namespace
}  // namespace alphaswarm::instrumentation
