#include "alphaswarm/persistence/database.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <latch>

#include "alphaswarm/base/thread.hpp"
#include "alphaswarm/persistence/schema.hpp"
#include "alphaswarm/persistence/statement_text.hpp"
#include "alphaswarm/persistence/test_support.hpp"

namespace alphaswarm::persistence {
namespace {

using test::NotingObserver;
using test::open_migrated;
using test::TemporaryFolder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::int64_t count(SqlExecutor& executor, std::string_view table) {
  std::int64_t rows = -1;
  EXPECT_TRUE(executor.query("SELECT count(*) FROM " + std::string(table), {},
                             [&](const Row& row) { rows = row.integer(0); }));
  return rows;
}

TEST(StatementText, NamesOperationAndTarget) {
  const auto name = [](std::string_view sql) {
    const auto text = detail::describe_statement(sql);
    return text.operation + "|" + text.target;
  };
  EXPECT_EQ(name("INSERT INTO orders (a) VALUES ($1)"), "INSERT|orders");
  EXPECT_EQ(name("insert or ignore into \"orders\" values (1)"), "INSERT|orders");
  EXPECT_EQ(name("select a, (select max(x) from other) from fills where b = 'from x'"),
            "SELECT|fills");
  EXPECT_EQ(name("SELECT count(*) FROM (SELECT 1) AS t"), "SELECT|");
  EXPECT_EQ(name("UPDATE bars SET open = 1"), "UPDATE|bars");
  EXPECT_EQ(name("DELETE FROM bars"), "DELETE|bars");
  EXPECT_EQ(name("CREATE TABLE IF NOT EXISTS t (x)"), "CREATE|t");
  EXPECT_EQ(name("CREATE INDEX i ON t (x)"), "CREATE|t");
  EXPECT_EQ(name("WITH r AS (SELECT 1 FROM a) INSERT INTO b SELECT * FROM r"), "INSERT|b");
  EXPECT_EQ(name("-- why\n/* from c */ BEGIN IMMEDIATE"), "BEGIN|");
  EXPECT_EQ(name("COMMIT"), "COMMIT|");
  EXPECT_EQ(name("COPY bars (a, b) FROM STDIN (FORMAT binary)"), "COPY|bars");
  EXPECT_EQ(name("WITH m AS (INSERT INTO bars SELECT a FROM b RETURNING a) SELECT count(*) FROM m"),
            "INSERT|bars");
  EXPECT_EQ(name(""), "|");
}

class OnEachDatabase : public test::EachDatabase {};
INSTANTIATE_TEST_SUITE_P(Each, OnEachDatabase, test::kEachDatabase, test::name_of_kind);

TEST(Database, RefusesUrlsItDoesNotKnowWithoutRepeatingThem) {
  for (const char* url :
       {"mysql://user:secret@host/db", "postgresql://user:sec@ret@host/db",
        "postgresql://user:secret@host:port/db", "postgresql://user:secret@host/db?x=secret",
        "postgresql://user:secret@host"}) {
    const auto refused = Database::open(url);
    ASSERT_FALSE(refused) << url;
    EXPECT_EQ(refused.error().code, ErrorCode::invalid_argument) << url;
    EXPECT_FALSE(refused.error().retryable);
    EXPECT_THAT(refused.error().message, ::testing::Not(HasSubstr("ret"))) << url;
  }
}

TEST_P(OnEachDatabase, KeepsValuesExactly) {
  auto database = Database::open(fresh_url());
  ASSERT_TRUE(database);
  ASSERT_TRUE(
      (*database)->execute("CREATE TABLE t (a BIGINT, b DOUBLE PRECISION, c TEXT, d BIGINT)"));
  const Decimal amount = *Decimal::parse("92233720368.54775807");
  const std::optional<Decimal> none;
  const std::string_view text = "na\xc3\xafve\t'\\";
  ASSERT_TRUE((*database)->execute("INSERT INTO t (a, b, c, d) VALUES ($1, $2, $3, $4)",
                                   {amount, 0.1, text, none}));
  bool seen = false;
  ASSERT_TRUE((*database)->query("SELECT a, b, c, d FROM t", {}, [&](const Row& row) {
    seen = true;
    EXPECT_EQ(row.decimal(0), amount);
    EXPECT_EQ(row.real(1), 0.1);
    EXPECT_EQ(row.text(2), text);
    EXPECT_TRUE(row.is_null(3));
  }));
  EXPECT_TRUE(seen);
}

TEST_P(OnEachDatabase, ATextWithAZeroByteIsKeptOrRefused) {
  auto database = Database::open(fresh_url());
  ASSERT_TRUE(database);
  ASSERT_TRUE((*database)->execute("CREATE TABLE t (a TEXT)"));
  const std::string_view text("a\0b", 3);
  const auto done = (*database)->execute("INSERT INTO t (a) VALUES ($1)", {text});
  ASSERT_EQ(done.has_value(), !is_postgres());
  if (!done) {
    EXPECT_EQ(done.error().code, ErrorCode::invalid_argument);
    EXPECT_EQ(sqlstate_of(done.error()), "22021");
  }
  EXPECT_EQ(count(**database, "t"), is_postgres() ? 0 : 1);
}

TEST_P(OnEachDatabase, AppendsRowsOfEveryKindAllOrNothing) {
  auto database = Database::open(fresh_url());
  ASSERT_TRUE(database);
  ASSERT_TRUE(
      (*database)->execute("CREATE TABLE t (a BIGINT PRIMARY KEY, b DOUBLE PRECISION, c TEXT)"));
  constexpr std::string_view kColumns[] = {"a", "b", "c"};
  const auto rows = [](std::int64_t first) {
    return [first](std::size_t i, std::span<Param> params) {
      params[0] = first + static_cast<std::int64_t>(i);
      params[1] = 0.1;
      params[2] = i % 2 == 0 ? Param("x") : Param(nullptr);
    };
  };
  EXPECT_EQ(*(*database)->append("t", kColumns, 10'000, rows(-5'000)), 10'000);
  const auto again = (*database)->append("t", kColumns, 10'000, rows(4'999));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::already_exists);
  auto transaction = (*database)->begin();
  ASSERT_TRUE(transaction);
  EXPECT_FALSE(transaction->append("t", kColumns, 10'000, rows(4'999)));
  EXPECT_TRUE(transaction->append("t", kColumns, 1, rows(5'000)));  // the transaction goes on
  ASSERT_TRUE(transaction->commit());
  std::int64_t texts = 0;
  std::int64_t sum = 0;
  double real = 0;
  ASSERT_TRUE((*database)->query("SELECT count(c), sum(a), max(b) FROM t", {}, [&](const Row& row) {
    texts = row.integer(0);
    sum = row.integer(1);
    real = row.real(2);
  }));
  EXPECT_EQ(texts, 5'001);
  EXPECT_EQ(sum, 0);
  EXPECT_EQ(real, 0.1);
}

TEST_P(OnEachDatabase, ABatchStopsAtItsFirstWrongRow) {
  auto database = Database::open(fresh_url());
  ASSERT_TRUE(database);
  ASSERT_TRUE((*database)->execute("CREATE TABLE t (a BIGINT PRIMARY KEY)"));
  // Further than one round trip of the pipeline.
  const auto done = (*database)->execute_each(
      "INSERT INTO t (a) VALUES ($1)", 1'700, 1,
      [](std::size_t i, std::span<Param> params) { params[0] = i == 1'234 ? 3 : i; }, {});
  ASSERT_FALSE(done);
  EXPECT_EQ(sqlstate_of(done.error()), "23505");
  EXPECT_EQ(count(**database, "t"), 0);
  std::vector<std::size_t> told;
  const auto whole = (*database)->execute_each(
      "INSERT INTO t (a) VALUES ($1)", 1'700, 1,
      [](std::size_t i, std::span<Param> params) { params[0] = i; },
      [&](std::size_t i, std::int64_t changed) {
        EXPECT_EQ(changed, 1);
        told.push_back(i);
      });
  ASSERT_TRUE(whole) << whole.error().message;
  EXPECT_EQ(*whole, 1'700);
  EXPECT_EQ(told.size(), 1'700U);
  EXPECT_EQ(told.back(), 1'699U);
}

TEST_P(OnEachDatabase, AnEmptyTextIsNotNull) {
  auto database = Database::open(fresh_url());
  ASSERT_TRUE(database);
  ASSERT_TRUE((*database)->execute("CREATE TABLE t (a TEXT NOT NULL)"));
  EXPECT_TRUE((*database)->execute("INSERT INTO t (a) VALUES ($1)", {std::string_view()}));
}

TEST_P(OnEachDatabase, HoldsPlaceholdersToWhatBothDatabasesRead) {
  auto database = Database::open(fresh_url());
  ASSERT_TRUE(database);
  const auto swapped = (*database)->query("SELECT $2, $1", {1, 2}, [](const Row&) {});
  ASSERT_FALSE(swapped);
  EXPECT_THAT(swapped.error().message, HasSubstr("placeholder"));
  const auto missing = (*database)->query("SELECT $1, $2", {1}, [](const Row&) {});
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().message, HasSubstr("2 placeholders but got 1"));
}

TEST(Database, TellsTheObserverWhatRuns) {
  const TemporaryFolder folder;
  NotingObserver observer;
  auto database = open_migrated(folder.url(), &observer);
  EXPECT_THAT(observer.take(), ElementsAre("connect"));  // migrations are not reported
  EXPECT_EQ(observer.database(), "test.db");
  {
    auto transaction = database->begin();
    ASSERT_TRUE(transaction);
    ASSERT_TRUE(transaction->execute(
        "INSERT INTO kill_switch (id, engaged, reason, since) VALUES (1, 0, $1, 0)", {"secret"}));
    EXPECT_THAT(observer.texts().back(), ::testing::Not(HasSubstr("secret")));
    ASSERT_TRUE(transaction->commit());
  }
  EXPECT_EQ(count(*database, "kill_switch"), 1);
  EXPECT_FALSE(database->execute(
      "INSERT INTO kill_switch (id, engaged, reason, since) VALUES (1, 0, '', 0)"));
  EXPECT_FALSE(database->execute("SELEKT 1"));
  EXPECT_THAT(observer.take(),
              ElementsAre("BEGIN", "INSERT kill_switch", "COMMIT", "connect", "SELECT kill_switch",
                          "INSERT kill_switch!23505", "SELEKT!42000"));
}

TEST_P(OnEachDatabase, ATransactionHappensWhollyOrNotAtAll) {
  auto database = open_migrated(fresh_url());
  const std::string_view insert =
      "INSERT INTO kill_switch (id, engaged, reason, since) VALUES (1, 0, '', 0)";
  {
    auto transaction = database->begin();
    ASSERT_TRUE(transaction->execute(insert));
    EXPECT_EQ(count(*transaction, "kill_switch"), 1);
    EXPECT_EQ(count(*database, "kill_switch"), 0);  // others do not see it yet
  }
  EXPECT_EQ(count(*database, "kill_switch"), 0);
  auto transaction = database->begin();
  ASSERT_TRUE(transaction->execute(insert));
  ASSERT_TRUE(transaction->commit());
  EXPECT_FALSE(transaction->execute(insert));
  EXPECT_FALSE(transaction->commit());
  EXPECT_EQ(count(*database, "kill_switch"), 1);
}

TEST_P(OnEachDatabase, AFailedBatchLeavesTheTransactionAsItWas) {
  auto database = open_migrated(fresh_url());
  ASSERT_TRUE(database->execute("CREATE TABLE t (a BIGINT PRIMARY KEY)"));
  auto transaction = database->begin();
  ASSERT_TRUE(transaction->execute("INSERT INTO t (a) VALUES (7)"));
  const auto failed =
      transaction->execute_each("INSERT INTO t (a) VALUES ($1)", 8, 1,
                                [](std::size_t i, std::span<Param> params) { params[0] = i; }, {});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::already_exists);
  ASSERT_TRUE(transaction->commit());
  EXPECT_EQ(count(*database, "t"), 1);
}

TEST(Database, AWriterThatWaitsTooLongIsToldSo) {
  const TemporaryFolder folder;
  DatabaseOptions options;
  options.busy_timeout = std::chrono::milliseconds(20);
  auto database = Database::open(folder.url(), options);
  ASSERT_TRUE(database);
  auto other_process = Database::open(folder.url(), options);
  ASSERT_TRUE(other_process);
  auto transaction = (*database)->begin();
  ASSERT_TRUE(transaction);
  for (Database* blocked : {database->get(), other_process->get()}) {
    const auto second = blocked->begin();
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::unavailable);
    EXPECT_TRUE(second.error().retryable);
    EXPECT_THAT(second.error().message, HasSubstr("55P03"));
  }
  transaction->rollback();
  EXPECT_TRUE((*other_process)->begin());
}

TEST(Database, AnAbandonedTurnDoesNotBlockTheNext) {
  DatabaseOptions options;
  options.busy_timeout = std::chrono::milliseconds(50);
  auto database = Database::open("sqlite://:memory:", options);
  ASSERT_TRUE(database);
  std::latch waiting(2);
  std::atomic<int> refused{0};
  {
    auto transaction = (*database)->begin();
    ASSERT_TRUE(transaction);
    std::vector<std::jthread> threads;
    for (int i = 0; i < 2; ++i) {
      threads.push_back(start_thread("writer", [&](const std::stop_token&) {
        waiting.arrive_and_wait();
        if (!(*database)->begin()) ++refused;
      }));
    }
  }  // both threads end before the transaction does
  EXPECT_EQ(refused, 2);
  EXPECT_TRUE((*database)->begin());
}

TEST_P(OnEachDatabase, ManyThreadsWriteAndReadWithoutLosingARow) {
  auto database = open_migrated(fresh_url());
  ASSERT_TRUE(database->execute("CREATE TABLE t (writer BIGINT, number BIGINT)"));
  constexpr int kThreads = 6;
  constexpr int kRows = 100;
  std::atomic<int> failures{0};
  {
    std::vector<std::jthread> threads;
    for (int writer = 0; writer < kThreads; ++writer) {
      threads.push_back(start_thread("writer", [&, writer](const std::stop_token&) {
        for (int number = 0; number < kRows; ++number) {
          auto transaction = database->begin();
          const bool written =
              transaction &&
              transaction->execute("INSERT INTO t (writer, number) VALUES ($1, $2)",
                                   {writer, number}) &&
              transaction->commit();
          std::int64_t mine = 0;
          const bool read = database
                                ->query("SELECT count(*) FROM t WHERE writer = $1", {writer},
                                        [&](const Row& row) { mine = row.integer(0); })
                                .has_value();
          if (!written || !read || mine != number + 1) ++failures;
        }
      }));
    }
  }
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(count(*database, "t"), kThreads * kRows);
}

TEST_P(OnEachDatabase, MigrationsRunOnceAlsoWhenTwoTryAtOnce) {
  const std::string url = fresh_url();
  auto first = Database::open(url);
  auto second = Database::open(url);
  ASSERT_TRUE(first && second);
  std::latch together(2);
  std::vector<Result<void>> results(2);
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < 2; ++i) {
      threads.push_back(start_thread("migrate", [&, i](const std::stop_token&) {
        together.arrive_and_wait();
        results[i] = migrate(i == 0 ? **first : **second);
      }));
    }
  }
  for (const auto& result : results) EXPECT_TRUE(result) << result.error().message;
  EXPECT_EQ(count(**first, "schema_migrations"),
            static_cast<std::int64_t>(detail::migrations().size()));
  EXPECT_TRUE(migrate(**first));
}

TEST_P(OnEachDatabase, MigrationsRefuseASchemaTheyDoNotKnow) {
  auto database = open_migrated(fresh_url());
  ASSERT_TRUE(database->execute("UPDATE schema_migrations SET checksum = 'x' WHERE version = 1"));
  const auto edited = migrate(*database);
  ASSERT_FALSE(edited);
  EXPECT_THAT(edited.error().message, HasSubstr("another schema step 1"));
  ASSERT_TRUE(
      database->execute("INSERT INTO schema_migrations (version, name, checksum, applied_at) "
                        "VALUES (99, '', '', 0)"));
  const auto newer = migrate(*database);
  ASSERT_FALSE(newer);
  EXPECT_THAT(newer.error().message, HasSubstr("schema version 99"));
}

TEST(Migrations, AreWrittenForBothDatabases) {
  for (const detail::Migration& step : detail::migrations()) {
    for (const std::string_view statement : step.statements) {
      const std::string text = detail::for_dialect(statement, detail::kPostgresDialect);
      EXPECT_EQ(text.find_first_of("{}"), std::string::npos) << text;
      EXPECT_EQ(text.find("ROWID"), std::string::npos) << text;
      EXPECT_EQ(text.find("AUTOINCREMENT"), std::string::npos) << text;
    }
  }
}

}  // namespace
}  // namespace alphaswarm::persistence
