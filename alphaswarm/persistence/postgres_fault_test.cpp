// What happens when the PostgreSQL server, the network or another transaction is in the way. Each
// test would hang, not fail, if a wait had no end: ctest's time-out is the last resort.

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <barrier>

#include "alphaswarm/base/thread.hpp"
#include "alphaswarm/persistence/test_support.hpp"

namespace alphaswarm::persistence {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// A server of its own, since these tests stop it.
class PostgresFaults : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { server_ = std::make_unique<alphaswarm::testing::Postgres>(); }
  static void TearDownTestSuite() { server_.reset(); }

  static std::shared_ptr<Database> open(const std::string& url, DatabaseOptions options = {}) {
    auto database = Database::open(url, options);
    EXPECT_TRUE(database) << database.error().message;
    return *database;
  }
  static std::shared_ptr<Database> with_table(DatabaseOptions options = {},
                                              const std::string& parameters = "") {
    auto database = open(server_->create_database() + parameters, options);
    EXPECT_TRUE(database->execute("CREATE TABLE t (a BIGINT PRIMARY KEY, b BIGINT)"));
    return database;
  }
  static std::int64_t rows(SqlExecutor& executor) {
    std::int64_t count = -1;
    const auto done = executor.query("SELECT count(*) FROM t", {},
                                     [&](const Row& row) { count = row.integer(0); });
    EXPECT_TRUE(done) << done.error().message;
    return count;
  }

  static std::unique_ptr<alphaswarm::testing::Postgres> server_;
};
std::unique_ptr<alphaswarm::testing::Postgres> PostgresFaults::server_;

TEST_F(PostgresFaults, WhatTheServerRefusesIsSaidAtOnceAndWithoutThePassword) {
  const std::string port = std::to_string(server_->port());
  const std::string nobody = std::to_string(alphaswarm::testing::free_port());
  struct Case {
    std::string url;
    ErrorCode code;
    std::string sqlstate;
  };
  const Case cases[] = {
      {"postgresql://tester:pass-of-other@127.0.0.1:" + port + "/postgres",
       ErrorCode::unauthenticated, "28P01"},
      {server_->url("missing"), ErrorCode::not_found, "3D000"},
      {"postgresql://tester:pass-of-tester@127.0.0.1:" + nobody + "/postgres",
       ErrorCode::unavailable, "08001"},
      {"postgresql://tester:pass-of-tester@no-such-host.invalid/postgres", ErrorCode::unavailable,
       "08001"},
      {server_->url() + "?sslmode=require", ErrorCode::unavailable, "08001"},
  };
  for (const Case& c : cases) {
    test::NotingObserver observer;
    const auto database = Database::open(c.url, &observer);
    ASSERT_FALSE(database) << c.url;
    EXPECT_EQ(database.error().code, c.code) << database.error().message;
    EXPECT_EQ(sqlstate_of(database.error()), c.sqlstate) << database.error().message;
    EXPECT_THAT(database.error().message, Not(HasSubstr("pass-of")));
    EXPECT_THAT(database.error().message, Not(HasSubstr("\n")));
    EXPECT_THAT(observer.take(), ::testing::ElementsAre("connect!" + c.sqlstate));
  }
}

TEST_F(PostgresFaults, AServerThatAcceptsAndSaysNothingIsGivenUp) {
  const int listening = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(listening, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(::listen(listening, 5), 0);
  ASSERT_EQ(::getsockname(listening, reinterpret_cast<sockaddr*>(&address), &size), 0);
  DatabaseOptions options;
  options.connect_timeout = milliseconds(100);
  const auto begin = Clock::now();
  const auto database = Database::open(
      "postgresql://u:p@127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/d", options);
  ::close(listening);
  ASSERT_FALSE(database);
  EXPECT_EQ(sqlstate_of(database.error()), "08001");
  EXPECT_THAT(database.error().message, HasSubstr("did not answer within 100 ms"));
  EXPECT_LT(Clock::now() - begin, std::chrono::seconds(5));
}

TEST_F(PostgresFaults, AFrozenServerEndsTheStatementNotTheProgram) {
  DatabaseOptions options;
  options.statement_timeout = milliseconds(100);
  auto database = with_table(options);
  ASSERT_EQ(rows(*database), 0);
  server_->freeze();
  const auto begin = Clock::now();
  const auto done = database->query("SELECT count(*) FROM t", {}, {});
  const auto took = Clock::now() - begin;
  server_->thaw();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::deadline_exceeded) << done.error().message;
  EXPECT_LT(took, std::chrono::seconds(15));
  EXPECT_EQ(rows(*database), 0);  // on another connection
}

TEST_F(PostgresFaults, AStatementThatTakesTooLongIsEndedByTheServer) {
  DatabaseOptions options;
  options.statement_timeout = milliseconds(50);
  auto database = with_table(options);
  const auto slow = database->query("SELECT pg_sleep(30)", {}, {});
  ASSERT_FALSE(slow);
  EXPECT_EQ(slow.error().code, ErrorCode::deadline_exceeded);
  EXPECT_EQ(sqlstate_of(slow.error()), "57014");
  EXPECT_EQ(rows(*database), 0);
}

TEST_F(PostgresFaults, AFullPoolIsOneClearError) {
  DatabaseOptions options;
  options.max_connections = 2;
  options.busy_timeout = milliseconds(50);
  auto database = with_table(options);
  auto first = database->begin();
  auto second = database->begin();
  ASSERT_TRUE(first && second);
  const auto third = database->begin();
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().code, ErrorCode::unavailable);
  EXPECT_THAT(third.error().message, HasSubstr("all 2 connections"));
  first->rollback();
  EXPECT_EQ(rows(*database), 0);
}

TEST_F(PostgresFaults, ALockedRowIsWaitedForOnlySoLong) {
  DatabaseOptions options;
  options.busy_timeout = milliseconds(50);
  auto database = with_table(options);
  ASSERT_TRUE(database->execute("INSERT INTO t (a, b) VALUES (1, 0)"));
  auto holder = database->begin();
  ASSERT_TRUE(holder->execute("UPDATE t SET b = 1 WHERE a = 1"));
  const auto blocked = database->execute("UPDATE t SET b = 2 WHERE a = 1");
  ASSERT_FALSE(blocked);
  EXPECT_EQ(sqlstate_of(blocked.error()), "55P03");
  EXPECT_EQ(blocked.error().code, ErrorCode::unavailable);
}

TEST_F(PostgresFaults, ErrorsDoNotRepeatValues) {
  auto database = with_table();
  const auto wrong = database->execute("INSERT INTO t (a) VALUES ($1)", {"secret-value"});
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(sqlstate_of(wrong.error()), "22P02");
  EXPECT_THAT(wrong.error().message, Not(HasSubstr("secret")));
}

TEST_F(PostgresFaults, AKilledServerUndoesTheOpenTransactionAndTheProgramGoesOn) {
  auto database = with_table();
  auto transaction = database->begin();
  ASSERT_TRUE(transaction->execute("INSERT INTO t (a, b) VALUES (1, 1)"));
  server_->kill();
  const auto lost = transaction->execute("INSERT INTO t (a, b) VALUES (2, 2)");
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code, ErrorCode::unavailable) << lost.error().message;
  EXPECT_TRUE(lost.error().retryable);
  EXPECT_FALSE(transaction->commit());
  const auto ping = database->ping();
  ASSERT_FALSE(ping);
  EXPECT_EQ(ping.error().code, ErrorCode::unavailable) << ping.error().message;
  server_->start();
  EXPECT_EQ(rows(*database), 0);
  EXPECT_TRUE(database->execute("INSERT INTO t (a, b) VALUES (3, 3)"));
  EXPECT_EQ(rows(*database), 1);
}

TEST_F(PostgresFaults, ReadsWaitForAServerThatComesBack) {
  DatabaseOptions options;
  options.busy_timeout = std::chrono::seconds(30);
  auto database = with_table(options);
  ASSERT_EQ(rows(*database), 0);
  server_->stop();
  auto reader =
      start_thread("reader", [&](const std::stop_token&) { EXPECT_EQ(rows(*database), 0); });
  server_->start();  // here: a server ends with the thread that has started it
}

TEST_F(PostgresFaults, ATransactionTheServerLostIsDoneAgainOnce) {
  DatabaseOptions options;
  options.busy_timeout = std::chrono::seconds(30);
  auto database = with_table(options);
  int runs = 0;
  const auto done = in_transaction(*database, [&](SqlExecutor& transaction) -> Result<void> {
    ++runs;
    for (int row = 0; row < 3; ++row) {
      if (runs == 1 && row == 1) {
        server_->stop_immediate();
        server_->start();
      }
      const auto inserted =
          transaction.execute("INSERT INTO t (a, b) VALUES ($1, $2)", {row, runs});
      if (!inserted) return std::unexpected(inserted.error());
    }
    return {};
  });
  EXPECT_TRUE(done) << done.error().message;
  EXPECT_EQ(runs, 2);
  EXPECT_EQ(rows(*database), 3);
}

TEST_F(PostgresFaults, ACommitWhoseEndNobodySawIsRepeatedOnlyWhereThatIsHarmless) {
  auto database = with_table();
  // The first two commits end their own connection.
  ASSERT_TRUE(database->execute("CREATE SEQUENCE commits"));
  ASSERT_TRUE(database->execute(
      "CREATE FUNCTION fall() RETURNS trigger LANGUAGE plpgsql AS "
      "'BEGIN IF nextval(''commits'') <= 2 THEN PERFORM pg_terminate_backend(pg_backend_pid()); "
      "PERFORM pg_sleep(1); END IF; RETURN NULL; END'"));
  ASSERT_TRUE(
      database->execute("CREATE CONSTRAINT TRIGGER falls AFTER INSERT ON t DEFERRABLE INITIALLY "
                        "DEFERRED FOR EACH ROW EXECUTE FUNCTION fall()"));
  const auto body = [](SqlExecutor& transaction) {
    return transaction.execute("INSERT INTO t (a, b) VALUES (1, 1)");
  };
  const auto once = in_transaction(*database, body);
  ASSERT_FALSE(once);
  EXPECT_EQ(sqlstate_of(once.error()), "08007") << once.error().message;
  const auto again = in_transaction(*database, body, Effects::idempotent);
  EXPECT_TRUE(again) << again.error().message;
  EXPECT_EQ(rows(*database), 1);
}

TEST_F(PostgresFaults, DeadlocksAreResolvedByTryingAgain) {
  DatabaseOptions options;
  options.busy_timeout = std::chrono::seconds(20);
  auto database = with_table(options, "?options=-c%20deadlock_timeout%3D50ms");
  ASSERT_TRUE(database->execute("INSERT INTO t (a, b) VALUES (1, 0), (2, 0)"));
  std::barrier both_hold(2);
  std::atomic<int> runs{0};
  std::atomic<int> failures{0};
  {
    std::vector<std::jthread> threads;
    for (int first : {1, 2}) {
      threads.push_back(start_thread("deadlock", [&, first](const std::stop_token&) {
        bool met = false;
        const auto done = in_transaction(*database, [&](SqlExecutor& transaction) -> Result<void> {
          ++runs;
          for (const int row : {first, 3 - first}) {
            const auto updated = transaction.execute("UPDATE t SET b = b + 1 WHERE a = $1", {row});
            if (!updated) return std::unexpected(updated.error());
            if (!std::exchange(met, true)) both_hold.arrive_and_wait();
          }
          return {};
        });
        if (!done) ++failures;
      }));
    }
  }
  EXPECT_EQ(failures, 0);
  EXPECT_GE(runs, 3);  // each of the two that find it at the same time gives way
  EXPECT_LE(runs, 6);
  std::int64_t sum = 0;
  ASSERT_TRUE(
      database->query("SELECT sum(b) FROM t", {}, [&](const Row& row) { sum = row.integer(0); }));
  EXPECT_EQ(sum, 4);
}

TEST_F(PostgresFaults, SerializationFailuresAreTriedAgain) {
  auto database = with_table({}, "?options=-c%20default_transaction_isolation%3Dserializable");
  ASSERT_TRUE(database->execute("INSERT INTO t (a, b) VALUES (1, 0)"));
  std::barrier both_read(2);
  std::atomic<int> failures{0};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 2; ++i) {
      threads.push_back(start_thread("serial", [&](const std::stop_token&) {
        bool met = false;
        const auto done = in_transaction(*database, [&](SqlExecutor& transaction) -> Result<void> {
          std::int64_t value = 0;
          const auto read = transaction.query("SELECT b FROM t WHERE a = 1", {},
                                              [&](const Row& row) { value = row.integer(0); });
          if (!read) return read;
          if (!std::exchange(met, true)) both_read.arrive_and_wait();
          const auto written = transaction.execute("UPDATE t SET b = $1 WHERE a = 1", {value + 1});
          if (!written) return std::unexpected(written.error());
          return {};
        });
        if (!done) ++failures;
      }));
    }
  }
  EXPECT_EQ(failures, 0);
  std::int64_t value = 0;
  ASSERT_TRUE(
      database->query("SELECT b FROM t", {}, [&](const Row& row) { value = row.integer(0); }));
  EXPECT_EQ(value, 2);
}

}  // namespace
}  // namespace alphaswarm::persistence
