#pragma once

// One connection to a Redis server: opened, introduced (AUTH, SELECT), and asked one batch of
// commands at a time; or written and read apart, for subscriptions.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alphaswarm/net/detail/redis_codec.hpp"
#include "alphaswarm/net/detail/socket.hpp"
#include "alphaswarm/net/detail/stream.hpp"
#include "alphaswarm/net/detail/tls_stream.hpp"
#include "alphaswarm/net/redis.hpp"

namespace alphaswarm::net::detail {

class RedisConnection {
 public:
  // `tls` is null for a plain connection. permission_denied when the server refuses the user.
  static task<Result<std::unique_ptr<RedisConnection>>> open(Runtime& runtime,
                                                             const RedisConfig& config,
                                                             std::shared_ptr<TlsContext> tls,
                                                             Deadline deadline);
  RedisConnection(std::unique_ptr<Stream> stream, const RedisConfig& config)
      : stream_(std::move(stream)), reader_(config.max_reply_bytes, config.max_reply_elements) {}

  // Writes `bytes`, which hold `count` commands, and reads as many replies. After an error the
  // connection is of no use.
  task<Result<std::vector<RedisReply>>> exchange(std::string_view bytes, std::size_t count,
                                                 Deadline deadline);
  task<Result<void>> write(std::string_view bytes, Deadline deadline);
  // deadline_exceeded and cancelled lose nothing.
  task<Result<RedisReply>> read(Deadline deadline);
  void shut_down() noexcept { stream_->connection().socket().shut_down(); }
  // False once the server has closed, or said something nobody asked for.
  [[nodiscard]] bool is_quiet() noexcept { return stream_->connection().is_quiet(); }
  // Whether a byte has left this machine's user space since the last exchange began.
  [[nodiscard]] bool sent_something() noexcept {
    return stream_->connection().bytes_sent() != sent_before_;
  }

  Deadline idle_since{};  // for the pool

 private:
  task<Result<void>> introduce(const RedisConfig& config, Deadline deadline);

  std::unique_ptr<Stream> stream_;
  RedisReader reader_;
  std::vector<char> buffer_ = std::vector<char>(16U << 10);
  std::uint64_t sent_before_ = 0;
};

}  // namespace alphaswarm::net::detail
