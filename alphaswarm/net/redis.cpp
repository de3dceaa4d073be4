#include "alphaswarm/net/redis.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "alphaswarm/base/counters.hpp"
#include "alphaswarm/net/detail/connection_pool.hpp"
#include "alphaswarm/net/detail/redis_connection.hpp"
#include "alphaswarm/net/detail/redis_gate.hpp"
#include "alphaswarm/net/detail/redis_pubsub.hpp"

namespace alphaswarm::net {

using detail::Deadline;
using detail::RedisConnection;
using ConnectionPtr = std::unique_ptr<RedisConnection>;
using Replies = Result<std::vector<RedisReply>>;

namespace {

Counter& commands_sent() {
  static Counter& instance =
      counter("alphaswarm_redis_commands_total", "", "Commands sent to Redis.");
  return instance;
}

Counter& error_replies() {
  static Counter& instance =
      counter("alphaswarm_redis_error_replies_total", "", "Error replies from Redis.");
  return instance;
}

Result<void> check(const std::vector<RedisCommand>& commands) {
  for (const RedisCommand& command : commands) {
    if (command.empty() || command.front().empty()) {
      return fail(ErrorCode::invalid_argument, "a Redis command needs a name");
    }
  }
  return {};
}

Result<RedisReply> one_reply(const RedisCommand& command, RedisReply reply) {
  if (reply.is_error()) return std::unexpected(redis_error(command.front(), reply));
  return reply;
}

}  // namespace

class RedisClient::Impl {
 public:
  Impl(Runtime& runtime, RedisConfig config)
      : config(std::move(config)),
        gate_(runtime, this->config),
        short_(this->config.max_connections, this->config.idle_timeout),
        blocking_(this->config.max_blocking_connections, this->config.idle_timeout),
        pubsub(std::make_shared<detail::RedisPubSub>(runtime, this->config)) {}

  // Reports to the observer; `commands` are what it is told, `wire` what is sent.
  task<Replies> observed(RedisCall call, const std::vector<RedisCommand>& commands,
                         std::chrono::nanoseconds limit);

  const RedisConfig config;

 private:
  using Pool = detail::ConnectionPool<RedisConnection>;

  task<Replies> run(RedisCall call, const std::vector<RedisCommand>& commands,
                    std::chrono::nanoseconds limit);
  task<Replies> exchange(Pool& pool, std::string bytes, std::size_t count, Deadline deadline);

  detail::RedisGate gate_;
  Pool short_;     // calls that the server answers at once
  Pool blocking_;  // calls that wait there

 public:
  const std::shared_ptr<detail::RedisPubSub> pubsub;  // shared with its loop and subscriptions
};

task<Replies> RedisClient::Impl::exchange(Pool& pool, std::string bytes, std::size_t count,
                                          Deadline deadline) {
  Pool::Place place(pool);
  for (;;) {
    ConnectionPtr connection = pool.take_idle();
    const bool pooled = connection != nullptr;
    if (!pooled) {
      auto opened = co_await gate_.open(deadline);
      if (!opened) co_return std::unexpected(std::move(opened.error()));
      connection = std::move(*opened);
    }
    Replies replies = co_await connection->exchange(bytes, count, deadline);
    if (replies) {
      place.to_keep = std::move(connection);
      co_return replies;
    }
    Error& error = replies.error();
    if (!connection->sent_something()) {
      if (pooled && error.code == ErrorCode::unavailable) continue;  // found dead in the pool
    } else if (error.code == ErrorCode::unavailable || error.code == ErrorCode::deadline_exceeded) {
      error.message =
          error.code == ErrorCode::deadline_exceeded ? "it took too long to answer" : error.message;
      error.message += "; the command may have been processed";
    }
    error.message = fmt::format("Redis at {}:{}: {}", config.host, config.port, error.message);
    co_return replies;
  }
}

task<Replies> RedisClient::Impl::run(RedisCall call, const std::vector<RedisCommand>& commands,
                                     std::chrono::nanoseconds limit) {
  if (auto fine = check(commands); !fine) co_return std::unexpected(std::move(fine.error()));
  const bool blocking = call == RedisCall::blocking;
  const bool transaction = call == RedisCall::transaction;
  const Deadline deadline = std::chrono::steady_clock::now() + config.command_timeout + limit;
  Pool& pool = blocking ? blocking_ : short_;
  if (auto placed = co_await pool.take_place(deadline); !placed) {
    placed.error().message =
        fmt::format("Redis at {}:{}: {}", config.host, config.port, placed.error().message);
    co_return std::unexpected(std::move(placed.error()));
  }
  std::string bytes;
  const RedisCommand multi{"MULTI"};
  const RedisCommand exec{"EXEC"};
  if (transaction) detail::append_redis_command(bytes, multi);
  for (const RedisCommand& command : commands) detail::append_redis_command(bytes, command);
  if (transaction) detail::append_redis_command(bytes, exec);
  const std::size_t count = commands.size() + (transaction ? 2 : 0);
  commands_sent().add(count);
  Replies replies = co_await exchange(pool, std::move(bytes), count, deadline);
  if (!replies || !transaction) co_return replies;
  RedisReply last = std::move(replies->back());
  if (last.type == RedisReply::Type::array) co_return std::move(last.elements);
  // Why it was discarded stands in the reply of the command that could not be queued.
  for (std::size_t i = 0; i < commands.size(); ++i) {
    const RedisReply& reply = (*replies)[i + 1];
    if (reply.is_error()) co_return std::unexpected(redis_error(commands[i].front(), reply));
  }
  co_return std::unexpected(redis_error("EXEC", last));
}

task<Replies> RedisClient::Impl::observed(RedisCall call, const std::vector<RedisCommand>& commands,
                                          std::chrono::nanoseconds limit) {
  RedisObserver* const observer = config.observer;
  RedisObserver::Token token = nullptr;
  if (observer != nullptr) {
    const RedisCommandInfo info{call, commands, config.host, config.port, config.database};
    token = observer->started(info);
  }
  Replies replies = co_await run(call, commands, limit);
  std::optional<Error> error;
  std::string prefix;
  if (!replies) {
    error = replies.error();
  } else {
    for (std::size_t i = 0; i < replies->size(); ++i) {
      const RedisReply& reply = (*replies)[i];
      if (!reply.is_error()) continue;
      error_replies().add();
      if (error) continue;
      error = redis_error(commands[std::min(i, commands.size() - 1)].front(), reply);
      prefix = reply.error_prefix();
    }
  }
  if (observer != nullptr) observer->finished(token, error ? &*error : nullptr, prefix);
  co_return replies;
}

RedisClient::RedisClient(Runtime& runtime, RedisConfig config)
    : impl_(std::make_unique<Impl>(runtime, std::move(config))) {}

RedisClient::~RedisClient() { impl_->pubsub->close(); }

const RedisConfig& RedisClient::config() const noexcept { return impl_->config; }

std::string RedisClient::where() const {
  const RedisConfig& config = impl_->config;
  return fmt::format("{}://{}:{}/{}", config.use_tls ? "rediss" : "redis", config.host, config.port,
                     config.database);
}

task<Result<RedisReply>> RedisClient::command(RedisCommand command) {
  const std::vector<RedisCommand> commands(1, std::move(command));
  Replies replies =
      co_await impl_->observed(RedisCall::command, commands, std::chrono::nanoseconds(0));
  if (!replies) co_return std::unexpected(std::move(replies.error()));
  co_return one_reply(commands.front(), std::move(replies->front()));
}

task<Replies> RedisClient::pipeline(std::vector<RedisCommand> commands) {
  if (commands.empty()) co_return std::vector<RedisReply>();
  co_return co_await impl_->observed(RedisCall::pipeline, commands, std::chrono::nanoseconds(0));
}

task<Replies> RedisClient::transaction(std::vector<RedisCommand> commands) {
  if (commands.empty()) co_return std::vector<RedisReply>();
  co_return co_await impl_->observed(RedisCall::transaction, commands, std::chrono::nanoseconds(0));
}

task<Result<RedisReply>> RedisClient::blocking(RedisCommand command,
                                               std::chrono::nanoseconds limit) {
  const std::vector<RedisCommand> commands(1, std::move(command));
  Replies replies = co_await impl_->observed(RedisCall::blocking, commands, limit);
  if (!replies) co_return std::unexpected(std::move(replies.error()));
  co_return one_reply(commands.front(), std::move(replies->front()));
}

RedisCommand RedisClient::evalsha(const RedisScript& script, const std::vector<std::string>& keys,
                                  const std::vector<std::string>& arguments) {
  RedisCommand command{"EVALSHA", script.sha1(), std::to_string(keys.size())};
  command.insert(command.end(), keys.begin(), keys.end());
  command.insert(command.end(), arguments.begin(), arguments.end());
  return command;
}

task<Result<RedisReply>> RedisClient::script(const RedisScript& script,
                                             std::vector<std::string> keys,
                                             std::vector<std::string> arguments) {
  RedisCommand call = evalsha(script, keys, arguments);
  RedisCommand again = call;
  Result<RedisReply> reply = co_await command(std::move(call));
  if (reply || reply.error().code != ErrorCode::not_found) co_return reply;
  again[0] = "EVAL";
  again[1] = script.lua();
  co_return co_await command(std::move(again));
}

task<Result<RedisSubscription>> RedisClient::subscribe(std::vector<std::string> channels,
                                                       std::vector<std::string> patterns) {
  std::vector<detail::RedisTopic> topics;
  for (std::string& name : channels) topics.push_back({std::move(name), false});
  for (std::string& name : patterns) topics.push_back({std::move(name), true});
  std::ranges::sort(topics);
  topics.erase(std::ranges::unique(topics).begin(), topics.end());
  co_return co_await impl_->pubsub->subscribe(std::move(topics));
}

task<Result<void>> RedisClient::ping() {
  const Result<RedisReply> reply = co_await command({"PING"});
  if (!reply) co_return std::unexpected(reply.error());
  co_return Result<void>();
}

}  // namespace alphaswarm::net
