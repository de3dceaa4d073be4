#include "alphaswarm/net/detail/redis_connection.hpp"

namespace alphaswarm::net::detail {

task<Result<std::unique_ptr<RedisConnection>>> RedisConnection::open(
    Runtime& runtime, const RedisConfig& config, std::shared_ptr<TlsContext> tls,
    Deadline deadline) {
  auto connected = co_await connect_tcp(runtime, config.host, config.port, deadline);
  if (!connected) co_return std::unexpected(std::move(connected.error()));
  std::unique_ptr<Stream> stream;
  if (tls == nullptr) {
    stream = std::move(*connected);
  } else {
    auto secure = std::make_unique<TlsStream>(std::move(*connected), tls->new_session(config.host));
    if (auto shaken = co_await secure->handshake(); !shaken) {
      co_return std::unexpected(std::move(shaken.error()));
    }
    stream = std::move(secure);
  }
  auto connection = std::make_unique<RedisConnection>(std::move(stream), config);
  auto introduced = co_await connection->introduce(config, deadline);
  if (!introduced) co_return std::unexpected(std::move(introduced.error()));
  co_return connection;
}

task<Result<void>> RedisConnection::introduce(const RedisConfig& config, Deadline deadline) {
  std::vector<RedisCommand> commands;
  if (!config.password.empty()) {
    RedisCommand auth{"AUTH", config.password};
    if (!config.user.empty()) auth.insert(auth.begin() + 1, config.user);
    commands.push_back(std::move(auth));
  }
  if (config.database != 0) commands.push_back({"SELECT", std::to_string(config.database)});
  // Always something to say: that the server answers is known before a command depends on it.
  if (config.client_name.empty()) {
    commands.push_back({"PING"});
  } else {
    commands.push_back({"CLIENT", "SETNAME", config.client_name});
  }
  std::string bytes;
  for (const RedisCommand& command : commands) append_redis_command(bytes, command);
  const auto replies = co_await exchange(bytes, commands.size(), deadline);
  if (!replies) co_return std::unexpected(replies.error());
  for (std::size_t i = 0; i < commands.size(); ++i) {
    const RedisReply& reply = (*replies)[i];
    if (!reply.is_error()) continue;
    // A user whose rules forbid CLIENT SETNAME may still do all that matters.
    if (commands[i].front() == "CLIENT" && reply.error_prefix() == "NOPERM") continue;
    Error error = redis_error(commands[i].front(), reply);
    if (commands[i].front() == "AUTH" && error.code == ErrorCode::invalid_argument) {
      error.code = ErrorCode::permission_denied;
    }
    co_return std::unexpected(std::move(error));
  }
  co_return Result<void>();
}

task<Result<void>> RedisConnection::write(std::string_view bytes, Deadline deadline) {
  stream_->connection().socket().set_deadline(Direction::write, deadline);
  co_return co_await stream_->write(bytes);
}

task<Result<RedisReply>> RedisConnection::read(Deadline deadline) {
  stream_->connection().socket().set_deadline(Direction::read, deadline);
  for (;;) {
    Result<std::optional<RedisReply>> reply = reader_.next();
    if (!reply) co_return std::unexpected(std::move(reply.error()));
    if (*reply) co_return std::move(**reply);
    const Result<std::size_t> count = co_await stream_->read_some(buffer_);
    if (!count) co_return std::unexpected(count.error());
    if (*count == 0) co_return fail(ErrorCode::unavailable, "the server closed the connection");
    reader_.feed({buffer_.data(), *count});
  }
}

task<Result<std::vector<RedisReply>>> RedisConnection::exchange(std::string_view bytes,
                                                                std::size_t count,
                                                                Deadline deadline) {
  sent_before_ = stream_->connection().bytes_sent();
  // A TLS stream may have to write in order to read.
  stream_->connection().socket().set_deadlines(deadline);
  if (auto written = co_await write(bytes, deadline); !written) {
    co_return std::unexpected(std::move(written.error()));
  }
  std::vector<RedisReply> replies;
  replies.reserve(count);
  while (replies.size() < count) {
    Result<RedisReply> reply = co_await read(deadline);
    if (!reply) co_return std::unexpected(std::move(reply.error()));
    replies.push_back(std::move(*reply));
  }
  co_return replies;
}

}  // namespace alphaswarm::net::detail
