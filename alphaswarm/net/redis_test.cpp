// The Redis client against a real server.

#include "alphaswarm/net/redis.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "alphaswarm/base/thread.hpp"
#include "alphaswarm/net/task.hpp"
#include "tests/support/redis.hpp"

namespace alphaswarm::net {
namespace {

using namespace std::chrono_literals;
using testing::RedisServer;
using Type = RedisReply::Type;

// One server for most tests, emptied before each.
RedisServer& shared_server() {
  static RedisServer server;
  return server;
}

class RedisTest : public ::testing::Test {
 protected:
  RedisTest() { shared_server().cli({"FLUSHALL"}); }
  template <class T>
  T run(task<T> work) {
    return block_on(runtime_, std::move(work));
  }
  std::unique_ptr<RedisClient> client_of(const std::string& url) {
    auto config = parse_redis_url(url);
    EXPECT_TRUE(config) << config.error().message;
    config->command_timeout = 2s;
    return std::make_unique<RedisClient>(runtime_, *config);
  }
  std::string unique(const std::string& name) {
    return name + ":" + ::testing::UnitTest::GetInstance()->current_test_info()->name();
  }

  Runtime runtime_{"redis-test", 2};
};

TEST_F(RedisTest, CommandsOfAllReplyTypes) {
  const auto client = client_of(shared_server().url(3));
  const std::string key = unique("k");
  const std::string bytes("a\0\r\n\xff", 5);
  EXPECT_EQ(run(client->command({"SET", key, bytes}))->type, Type::status);
  EXPECT_EQ(run(client->command({"GET", key}))->text, bytes);
  EXPECT_TRUE(run(client->command({"GET", key + "-not"}))->is_nil());
  EXPECT_EQ(run(client->command({"STRLEN", key}))->integer, 5);
  const auto nested = run(client->command({"EVAL", "return {1, {'a', {false}}, {}}", "0"}));
  ASSERT_EQ(nested->elements.size(), 3U);
  EXPECT_EQ(nested->elements[1].elements[0].text, "a");
  EXPECT_TRUE(nested->elements[1].elements[1].elements[0].is_nil());
  EXPECT_EQ(nested->elements[2].type, Type::array);
  const std::string big(3'000'000, 'x');
  EXPECT_TRUE(run(client->command({"SET", key, big})));
  EXPECT_TRUE(run(client->command({"GET", key}))->text == big);
  EXPECT_TRUE(run(client->ping()));
  // The database number is that of the URL.
  EXPECT_TRUE(run(client_of(shared_server().url(4))->command({"GET", key}))->is_nil());
}

TEST_F(RedisTest, ErrorRepliesAreErrorsWithoutArguments) {
  const auto client = client_of(shared_server().url());
  const auto unknown = run(client->command({"NOSUCH", "secret-value"}));
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(unknown.error().message, "Redis NOSUCH: ERR unknown command 'NOSUCH'");
  EXPECT_EQ(run(client->command({})).error().code, ErrorCode::invalid_argument);
  const std::pair<const char*, ErrorCode> meanings[] = {
      {"NOAUTH Authentication required.", ErrorCode::permission_denied},
      {"WRONGPASS invalid", ErrorCode::permission_denied},
      {"NOPERM this user", ErrorCode::permission_denied},
      {"OOM command not allowed", ErrorCode::resource_exhausted},
      {"LOADING Redis is loading", ErrorCode::unavailable},
      {"MASTERDOWN Link", ErrorCode::unavailable},
      {"READONLY You can't write", ErrorCode::unavailable},
      {"NOSCRIPT No matching script", ErrorCode::not_found},
      {"WRONGTYPE Operation against", ErrorCode::invalid_argument},
      {"ERR max number of clients reached", ErrorCode::resource_exhausted}};
  for (const auto& [text, code] : meanings) {
    EXPECT_EQ(redis_error("GET", {.type = Type::error, .text = text}).code, code) << text;
  }
}

TEST_F(RedisTest, PipelinesAnswerInOrderAndTransactionsAllOrNothing) {
  const auto client = client_of(shared_server().url());
  const std::string key = unique("k");
  std::vector<RedisCommand> many;
  for (int i = 0; i < 1'000; ++i) many.push_back({"RPUSH", key, std::to_string(i)});
  const auto pushed = run(client->pipeline(std::move(many)));
  ASSERT_TRUE(pushed) << pushed.error().message;
  for (int i = 0; i < 1'000; ++i) EXPECT_EQ((*pushed)[static_cast<std::size_t>(i)].integer, i + 1);
  const auto mixed = run(client->pipeline({{"LLEN", key}, {"GET", key}, {"LLEN", key}}));
  EXPECT_EQ((*mixed)[1].error_prefix(), "WRONGTYPE");
  EXPECT_EQ((*mixed)[2].integer, 1'000);
  const auto done = run(client->transaction({{"DEL", key}, {"INCR", key}, {"LLEN", key}}));
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ((*done)[1].integer, 1);
  EXPECT_TRUE((*done)[2].is_error());
  const auto discarded = run(client->transaction({{"INCR", key}, {"INCR"}}));
  ASSERT_FALSE(discarded);
  EXPECT_NE(discarded.error().message.find("wrong number of arguments"), std::string::npos);
  EXPECT_EQ(run(client->command({"GET", key}))->text, "1");
  EXPECT_TRUE(run(client->pipeline({}))->empty());
}

TEST_F(RedisTest, ScriptsAreSentOnceAndAgainWhenTheServerForgot) {
  const auto client = client_of(shared_server().url());
  const RedisScript script("return {KEYS[1], ARGV[1]}");
  for (int round = 0; round < 2; ++round) {
    ASSERT_TRUE(run(client->command({"SCRIPT", "FLUSH"})));
    for (int i = 0; i < 2; ++i) {
      const auto reply = run(client->script(script, {"k"}, {"a"}));
      ASSERT_TRUE(reply) << reply.error().message;
      EXPECT_EQ(reply->elements[1].text, "a");
    }
  }
  EXPECT_EQ(run(client->command({"EVALSHA", script.sha1(), "1", "k", "b"}))->elements[1].text, "b");
}

TEST_F(RedisTest, BlockingCallsHaveTheirOwnConnectionsAndAreStopped) {
  auto config = *parse_redis_url(shared_server().url());
  config.max_connections = 1;
  config.command_timeout = 2s;
  RedisClient client(runtime_, config);
  const std::string key = unique("k");
  const auto wait_and_push = [&]() -> task<std::string> {
    auto popper = client.blocking({"BLPOP", key, "10"}, 10s);
    auto pusher = [&]() -> task<void> {
      std::ignore = co_await client.command({"RPUSH", key, "x"});
    };
    auto both = co_await all(std::move(popper), pusher());
    auto& popped = std::get<0>(both);
    co_return popped && popped->elements.size() == 2 ? popped->elements[1].text : "nothing";
  };
  EXPECT_EQ(run(wait_and_push()), "x");
  EXPECT_TRUE(run(client.blocking({"BLPOP", key, "0.05"}, 50ms))->is_nil());
  const auto stopped = [&]() -> task<ErrorCode> {
    ErrorCode code = ErrorCode::internal;
    auto popper = [&]() -> task<void> {
      const auto popped = co_await client.blocking({"BLPOP", key, "0"}, 1h);
      if (!popped) code = popped.error().code;
    };
    auto stopper = [&]() -> task<void> { co_await yield(); };
    co_await race(popper(), stopper());
    co_return code;
  };
  EXPECT_EQ(run(stopped()), ErrorCode::cancelled);
  EXPECT_TRUE(run(client.ping()));
}

TEST_F(RedisTest, ManyTasksShareFewConnections) {
  auto config = *parse_redis_url(shared_server().url());
  config.max_connections = 3;
  RedisClient client(runtime_, config);
  const std::string key = unique("k");
  const auto crowd = [&]() -> task<int> {
    std::vector<task<Result<RedisReply>>> work;
    for (int i = 0; i < 500; ++i) work.push_back(client.command({"INCR", key}));
    auto replies = co_await all(std::move(work));
    int good = 0;
    for (const auto& reply : replies) good += reply.has_value() ? 1 : 0;
    co_return good;
  };
  EXPECT_EQ(run(crowd()), 500);
  EXPECT_EQ(run(client.command({"GET", key}))->text, "500");
}

TEST_F(RedisTest, SubscriptionsByNameAndPattern) {
  const auto client = client_of(shared_server().url());
  auto by_name = run(client->subscribe({"news", "more"}));
  auto by_pattern = run(client->subscribe({}, {"n?ws"}));
  ASSERT_TRUE(by_name && by_pattern);
  EXPECT_EQ(run(client->command({"PUBLISH", "news", "1"}))->integer, 2);
  EXPECT_TRUE(run(client->command({"PUBLISH", "more", "2"})));
  EXPECT_EQ(run(by_name->next())->payload, "1");
  EXPECT_EQ(run(by_name->next())->channel, "more");
  const auto message = run(by_pattern->next());
  EXPECT_EQ(message->payload, "1");
  EXPECT_EQ(message->pattern, "n?ws");
  EXPECT_FALSE(run(by_name->next_for(0ms)));
  EXPECT_EQ(by_name->gaps(), 0U);
  {
    const RedisSubscription gone = std::move(*by_pattern);
  }
  EXPECT_TRUE(run(client->command({"PUBLISH", "news", "3"})));
  EXPECT_EQ(run(by_name->next())->payload, "3");
}

TEST_F(RedisTest, ASlowSubscriberLosesTheOldestAndOutlivesItsClient) {
  auto config = *parse_redis_url(shared_server().url());
  config.max_waiting_messages = 2;
  auto client = std::make_unique<RedisClient>(runtime_, config);
  auto slow = run(client->subscribe({"c"}));
  auto witness = run(client->subscribe({"c"}));
  ASSERT_TRUE(slow && witness);
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(run(client->command({"PUBLISH", "c", std::to_string(i)})));
    EXPECT_EQ(run(witness->next())->payload, std::to_string(i));
  }
  EXPECT_EQ(slow->dropped(), 3U);
  client.reset();
  EXPECT_EQ(run(slow->next())->payload, "3");
  EXPECT_EQ(run(slow->next())->payload, "4");
  EXPECT_FALSE(run(slow->next()));
}

TEST_F(RedisTest, PasswordsAndAclUsers) {
  RedisServer server({.acl = "user default on >default-pw ~* &* +@all\n"
                             "user alice on >p@ss:w/ord ~a:* +@all -flushall"});
  const std::string port = std::to_string(server.port());
  const auto alice = client_of("redis://alice:p%40ss%3Aw%2Ford@127.0.0.1:" + port);
  EXPECT_TRUE(run(alice->command({"SET", "a:1", "x"})));
  EXPECT_EQ(run(alice->command({"SET", "b:1", "x"})).error().code, ErrorCode::permission_denied);
  EXPECT_EQ(run(alice->subscribe({"c"})).error().code, ErrorCode::permission_denied);
  EXPECT_TRUE(run(client_of("redis://:default-pw@127.0.0.1:" + port)->ping()));
  const auto wrong = run(client_of("redis://alice:guess@127.0.0.1:" + port)->ping());
  EXPECT_EQ(wrong.error().code, ErrorCode::permission_denied);
  EXPECT_EQ(wrong.error().message.find("guess"), std::string::npos);
  const auto none = run(client_of("redis://127.0.0.1:" + port)->ping());
  EXPECT_EQ(none.error().code, ErrorCode::permission_denied);
}

TEST_F(RedisTest, Tls) {
  RedisServer server({.tls = true});
  const auto client = client_of(server.url());
  const std::string big(200'000, 'x');
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(run(client->command({"SET", "k", big})));
    EXPECT_TRUE(run(client->command({"GET", "k"}))->text == big);
  }
  auto subscription = run(client->subscribe({"c"}));
  ASSERT_TRUE(subscription) << subscription.error().message;
  EXPECT_TRUE(run(client->command({"PUBLISH", "c", "x"})));
  EXPECT_EQ(run(subscription->next())->payload, "x");
  const std::string bare = "rediss://127.0.0.1:" + std::to_string(server.port());
  const auto refused = run(client_of(bare)->ping());
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("self-signed"), std::string::npos)
      << refused.error().message;
  EXPECT_TRUE(run(client_of(bare + "?ssl_cert_reqs=none")->ping()));
}

}  // namespace
}  // namespace alphaswarm::net
