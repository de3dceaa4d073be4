#include "alphaswarm/instrumentation/redis.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "alphaswarm/instrumentation/spans_for_tests.hpp"
#include "alphaswarm/net/task.hpp"
#include "tests/support/redis.hpp"

namespace alphaswarm::instrumentation {
namespace {

namespace otel = alphaswarm::observability;
using net::RedisCall;
using net::RedisCommand;

struct Case {
  RedisCall call;
  std::vector<RedisCommand> commands;
  std::optional<Error> error;
  std::string prefix;
  std::string name;
  otel::TextAttributes more;  // beside system, namespace and server
  otel::StatusCode status = otel::StatusCode::unset;
};

TEST(RedisSpans, NamesAttributesAndStatus) {
  const Case cases[] = {
      {RedisCall::command,
       {{"set", "key", "secret"}},
       {},
       "",
       "SET",
       {{"db.operation.name", "SET"}, {"db.query.text", "SET ? ?"}}},
      {RedisCall::command,
       {{"PING"}},
       {},
       "",
       "PING",
       {{"db.operation.name", "PING"}, {"db.query.text", "PING"}}},
      {RedisCall::pipeline,
       {{"LPUSH", "q", "secret"}, {"PUBLISH", "c", "secret"}, {"PING"}},
       {},
       "",
       "PIPELINE LPUSH",
       {{"db.operation.name", "PIPELINE LPUSH"},
        {"db.operation.batch.size", "3"},
        {"db.query.text", "LPUSH ? ?\nPUBLISH ? ?\nPING"}}},
      {RedisCall::transaction,
       {{"SET", "k", "secret"}, {"DEL", "k"}},
       {},
       "",
       "MULTI SET",
       {{"db.operation.name", "MULTI SET"},
        {"db.operation.batch.size", "2"},
        {"db.query.text", "SET ? ?\nDEL ?"}}},
      {RedisCall::transaction,
       {{"INCR", "k"}},
       {},
       "",
       "MULTI INCR",
       {{"db.operation.name", "MULTI INCR"}, {"db.query.text", "INCR ?"}}},
      {RedisCall::command,
       {{"EVALSHA", "0123", "1", "k", "secret"}},
       Error{ErrorCode::not_found, "Redis EVALSHA: NOSCRIPT No matching script."},
       "NOSCRIPT",
       "EVALSHA",
       {{"db.operation.name", "EVALSHA"},
        {"db.query.text", "EVALSHA ? ? ? ?"},
        {"db.response.status_code", "NOSCRIPT"},
        {"error.type", "NOSCRIPT"}},
       otel::StatusCode::error},
      {RedisCall::command,
       {{"GET", "k"}},
       Error{ErrorCode::unavailable, "the server closed the connection"},
       "",
       "GET",
       {{"db.operation.name", "GET"}, {"db.query.text", "GET ?"}, {"error.type", "unavailable"}},
       otel::StatusCode::error},
      {RedisCall::command,
       {{"not a name: secret"}},
       {},
       "",
       "OTHER",
       {{"db.operation.name", "OTHER"}, {"db.query.text", "OTHER"}}},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    SpanKeeper keeper;
    TracingRedisObserver observer(keeper.provider());
    const net::RedisCommandInfo info{c.call, c.commands, "cache", 6380, 2};
    observer.finished(observer.started(info), c.error ? &*c.error : nullptr, c.prefix);
    const otel::FinishedSpan span = keeper.only();
    EXPECT_EQ(span.name, c.name);
    EXPECT_EQ(span.kind, otel::SpanKind::client);
    otel::TextAttributes expected = c.more;
    expected.insert({{"db.system.name", "redis"},
                     {"db.namespace", "2"},
                     {"server.address", "cache"},
                     {"server.port", "6380"}});
    EXPECT_EQ(span.attributes, expected);
    EXPECT_EQ(span.status, c.status);
    EXPECT_EQ(span.status_message, c.error ? c.error->message : "");
  }
}

TEST(RedisSpans, LongPollsHaveNoneAndRootsMayBeForbidden) {
  SpanKeeper keeper;
  TracingRedisObserver observer(keeper.provider(), false);
  const std::vector<RedisCommand> pop = {{"BRPOP", "q", "1"}};
  const std::vector<RedisCommand> get = {{"GET", "k"}};
  const net::RedisCommandInfo poll{RedisCall::blocking, pop, "cache", 6379, 0};
  const net::RedisCommandInfo read{RedisCall::command, get, "cache", 6379, 0};
  observer.finished(observer.started(read), nullptr, "");
  {
    const otel::Span root = otel::span("root", {.provider = keeper.provider()});
    observer.finished(observer.started(poll), nullptr, "");
    observer.finished(observer.started(read), nullptr, "");
  }
  const auto spans = keeper.spans();
  ASSERT_EQ(spans.size(), 2U);
  EXPECT_EQ(keeper.find("GET").parent_id, keeper.find("root").span_id);
}

TEST(RedisSpans, OfARealServer) {
  SpanKeeper keeper;
  TracingRedisObserver observer(keeper.provider());
  testing::RedisServer server;
  net::Runtime runtime("redis-spans", 1);
  auto config = *net::parse_redis_url(server.url(1));
  config.observer = &observer;
  net::RedisClient client(runtime, config);
  ASSERT_TRUE(net::block_on(runtime, client.command({"SET", "k", "secret-value"})));
  ASSERT_FALSE(net::block_on(runtime, client.command({"INCR", "k"})));
  ASSERT_TRUE(net::block_on(runtime, client.pipeline({{"GET", "k"}, {"LLEN", "k"}})));
  ASSERT_TRUE(net::block_on(runtime, client.subscribe({"c"})));
  EXPECT_EQ(keeper.spans().size(), 3U);
  EXPECT_EQ(keeper.find("SET").status, otel::StatusCode::unset);
  EXPECT_EQ(keeper.find("INCR").status, otel::StatusCode::error);
  EXPECT_EQ(keeper.find("PIPELINE GET").status_message.find("Redis LLEN: WRONGTYPE"), 0U);
  for (const auto& span : keeper.spans()) {
    for (const auto& [name, value] : span.attributes) {
      EXPECT_EQ(value.find("secret"), std::string::npos) << name;
    }
  }
}

}  // namespace
}  // namespace alphaswarm::instrumentation
