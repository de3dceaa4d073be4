// The Redis client while the server dies, forgets, sleeps, is full or is something else; and URLs.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "alphaswarm/net/raw_socket_for_tests.hpp"
#include "alphaswarm/net/redis.hpp"
#include "alphaswarm/net/task.hpp"
#include "tests/support/redis.hpp"

namespace alphaswarm::net {
namespace {

using namespace std::chrono_literals;
using testing::RedisServer;
using Clock = std::chrono::steady_clock;

class RedisFaultsTest : public ::testing::Test {
 protected:
  template <class T>
  T run(task<T> work) {
    return block_on(runtime_, std::move(work));
  }
  RedisConfig config_of(const std::string& url) {
    auto config = parse_redis_url(url);
    EXPECT_TRUE(config) << config.error().message;
    config->command_timeout = 300ms;
    config->connect_timeout = 300ms;
    config->ping_interval = 100ms;
    config->backoff_max = 100ms;
    return *config;
  }
  // Asks until there is an answer.
  Result<void> ping_until_back(RedisClient& client) {
    const auto limit = Clock::now() + 20s;
    for (;;) {
      auto answer = run(client.ping());
      if (answer || Clock::now() > limit) return answer;
    }
  }

  Runtime runtime_{"redis-test", 2};
};

TEST_F(RedisFaultsTest, AwayAtOnceThenWithPausesAndBackByItself) {
  RedisServer server;
  RedisClient client(runtime_, config_of(server.url()));
  ASSERT_TRUE(run(client.command({"SET", "k", "v"})));
  server.kill();
  const auto away = run(client.ping());
  ASSERT_FALSE(away);
  EXPECT_EQ(away.error().code, ErrorCode::unavailable);
  EXPECT_TRUE(away.error().retryable);
  EXPECT_NE(away.error().message.find("127.0.0.1"), std::string::npos);
  // A loop without a pause of its own does not spin: each call waits for an attempt to connect.
  int calls = 0;
  for (const auto until = Clock::now() + 500ms; Clock::now() < until; ++calls) {
    EXPECT_FALSE(run(client.ping()));
  }
  EXPECT_LE(calls, 25);
  EXPECT_GE(calls, 3);
  server.start();
  ASSERT_TRUE(ping_until_back(client));
  EXPECT_TRUE(run(client.command({"GET", "k"}))->is_nil());
}

TEST_F(RedisFaultsTest, AConnectionThatDiedInThePoolIsReplacedUnseen) {
  RedisServer server;
  RedisClient client(runtime_, config_of(server.url()));
  ASSERT_TRUE(run(client.ping()));
  server.cli({"CLIENT", "KILL", "TYPE", "normal"});
  EXPECT_TRUE(run(client.ping()));
  server.restart();
  EXPECT_TRUE(run(client.ping()));
}

TEST_F(RedisFaultsTest, ASubscriptionGoesOnAndKnowsOfTheGap) {
  RedisServer server;
  RedisClient client(runtime_, config_of(server.url()));
  auto subscription = run(client.subscribe({"a", "b"}));
  ASSERT_TRUE(subscription);
  server.kill();
  EXPECT_FALSE(run(client.subscribe({"c"})));
  server.start();
  ASSERT_TRUE(ping_until_back(client));
  ASSERT_TRUE(run(client.subscribe({"d"})));  // the connection is back, and all of it
  const auto published = run(client.pipeline({{"PUBLISH", "a", "1"}, {"PUBLISH", "b", "2"}}));
  ASSERT_TRUE(published);
  EXPECT_EQ((*published)[1].integer, 1);
  EXPECT_EQ(run(subscription->next_for(5s))->payload, "1");
  EXPECT_EQ(run(subscription->next_for(5s))->payload, "2");
  EXPECT_EQ(subscription->gaps(), 1U);
}

TEST_F(RedisFaultsTest, ASilentServerIsLeftByCallsAndSubscriptions) {
  RedisServer server;
  RedisClient client(runtime_, config_of(server.url()));
  auto subscription = run(client.subscribe({"a"}));
  ASSERT_TRUE(run(client.ping()));
  server.freeze();
  const auto slow = run(client.command({"SET", "k", "v"}));
  ASSERT_FALSE(slow);
  EXPECT_EQ(slow.error().code, ErrorCode::deadline_exceeded);
  EXPECT_NE(slow.error().message.find("may have been processed"), std::string::npos);
  const auto unheard = Clock::now() + 2 * config_of(server.url()).ping_interval + 100ms;
  while (Clock::now() < unheard) EXPECT_FALSE(run(client.ping()));
  server.thaw();
  ASSERT_TRUE(ping_until_back(client));
  ASSERT_TRUE(run(client.subscribe({"b"})));
  ASSERT_TRUE(run(client.command({"PUBLISH", "a", "x"})));
  EXPECT_EQ(run(subscription->next_for(5s))->payload, "x");
  EXPECT_GE(subscription->gaps(), 1U);
}

TEST_F(RedisFaultsTest, ABusyServerAndAPausedOne) {
  RedisServer server;
  RedisClient client(runtime_, config_of(server.url()));
  EXPECT_EQ(run(client.command({"DEBUG", "SLEEP", "0.6"})).error().code,
            ErrorCode::deadline_exceeded);
  ASSERT_TRUE(ping_until_back(client));
  server.cli({"CLIENT", "PAUSE", "400", "WRITE"});
  EXPECT_EQ(run(client.command({"SET", "k", "v"})).error().code, ErrorCode::deadline_exceeded);
  EXPECT_TRUE(run(client.command({"GET", "k"})));
}

TEST_F(RedisFaultsTest, OutOfMemory) {
  RedisServer server({.max_memory = "4mb"});
  RedisClient client(runtime_, config_of(server.url()));
  for (int i = 0; i < 8; ++i) {
    std::ignore = run(client.command({"SET", std::to_string(i), std::string(1'000'000, 'x')}));
  }
  const std::string big(1'000'000, 'x');
  const auto full = run(client.command({"SET", "k", big}));
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, ErrorCode::resource_exhausted);
  EXPECT_TRUE(run(client.command({"GET", "k"}))->is_nil());
  EXPECT_EQ(run(client.transaction({{"SET", "k", big}})).error().code,
            ErrorCode::resource_exhausted);
}

TEST_F(RedisFaultsTest, AServerThatIsNotRedis) {
  const std::pair<std::string, ErrorCode> answers[] = {
      {"HTTP/1.1 400 Bad Request\r\n\r\n", ErrorCode::data_loss},
      {"*-7\r\n", ErrorCode::data_loss},
      {"*2000000000\r\n", ErrorCode::resource_exhausted},
      {"*3\r\n*600000\r\n$1\r\na\r\n", ErrorCode::unavailable},  // and ends there
      {"$100000000\r\n" + std::string(2'000'000, 'x'), ErrorCode::resource_exhausted},
      {"", ErrorCode::unavailable}};
  for (const auto& [answer, code] : answers) {
    SCOPED_TRACE(answer.substr(0, 20));
    RawServer raw([&](RawSocket& socket) {
      socket.read_until("alphaswarm\r\n");
      socket.write(answer);
    });
    std::string url = "redis" + raw.url().substr(4);
    RedisConfig config = config_of(url);
    config.max_reply_bytes = 1U << 20;
    RedisClient client(runtime_, config);
    const auto reply = run(client.ping());
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, code) << reply.error().message;
  }
}

TEST_F(RedisFaultsTest, ACallThatIsStoppedWhileTheServerIsAwayEnds) {
  RedisServer server;
  RedisConfig config = config_of(server.url());
  config.command_timeout = 1h;
  config.backoff_first = config.backoff_max = 1h;
  RedisClient client(runtime_, config);
  server.kill();
  ASSERT_FALSE(run(client.ping()));
  const auto stopped = [&]() -> task<ErrorCode> {
    ErrorCode code = ErrorCode::internal;
    auto caller = [&]() -> task<void> {
      const auto answer = co_await client.ping();
      if (!answer) code = answer.error().code;
    };
    auto stopper = [&]() -> task<void> { co_await yield(); };
    co_await race(caller(), stopper());
    co_return code;
  };
  EXPECT_EQ(run(stopped()), ErrorCode::cancelled);
}

TEST(RedisUrl, SaysWhereAndAsWhom) {
  const auto full = parse_redis_url("rediss://al%40ice:p%2Fw@[::1]:7000/12?ssl_ca_certs=/ca.pem");
  ASSERT_TRUE(full) << full.error().message;
  EXPECT_EQ(full->user, "al@ice");
  EXPECT_EQ(full->password, "p/w");
  EXPECT_EQ(full->host, "::1");
  EXPECT_EQ(full->port, 7000);
  EXPECT_EQ(full->database, 12);
  EXPECT_TRUE(full->use_tls);
  EXPECT_EQ(full->tls.ca_file, "/ca.pem");
  const auto plain = parse_redis_url("redis://cache");
  EXPECT_EQ(plain->port, 6379);
  EXPECT_EQ(plain->database, 0);
  EXPECT_FALSE(plain->use_tls);
  EXPECT_EQ(parse_redis_url("redis://:a@b@cache/1")->password, "a@b");
  EXPECT_FALSE(parse_redis_url("rediss://cache?ssl_cert_reqs=none")->tls.verify);
}

TEST(RedisUrl, RefusesWithoutSecrets) {
  for (const char* url :
       {"http://x", "redis://", "redis://:hidden@host:0", "redis://:hidden@host:70000",
        "redis://u:hidden@host/x", "redis://u:hidden@host:", "redis://:hidden@host?a=b",
        "redis://u:hidden%zz@host", "redis://hidden@host", "redis://[::1",
        "rediss://:hidden@host?ssl_cert_reqs=maybe", "redis://h/-1"}) {
    const auto config = parse_redis_url(url);
    ASSERT_FALSE(config) << url;
    EXPECT_EQ(config.error().code, ErrorCode::invalid_argument);
    EXPECT_EQ(config.error().message.find("hidden"), std::string::npos) << config.error().message;
  }
}

}  // namespace
}  // namespace alphaswarm::net
