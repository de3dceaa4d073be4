#pragma once

// RESP2 by hiredis's formatter and reader, within bounds.

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "alphaswarm/base/error.hpp"
#include "alphaswarm/net/redis.hpp"

struct redisReader;

namespace alphaswarm::net::detail {

// Appends one command to `out`.
void append_redis_command(std::string& out, const RedisCommand& command);

class RedisReader {
 public:
  RedisReader(std::size_t max_bytes, std::size_t max_elements);
  ~RedisReader();
  RedisReader(const RedisReader&) = delete;
  RedisReader& operator=(const RedisReader&) = delete;

  void feed(std::string_view bytes);
  // The next whole reply; nullopt when more bytes are needed. data_loss: this is not RESP;
  // resource_exhausted: it is too big. After an error the reader is of no use.
  [[nodiscard]] Result<std::optional<RedisReply>> next();

 private:
  struct Free {
    void operator()(redisReader* reader) const noexcept;
  };
  struct Limits {
    std::size_t max_elements;
    std::size_t elements = 0;  // of the reply that is being read
  };
  friend struct RedisReaderCalls;

  const std::size_t max_bytes_;
  std::size_t unread_ = 0;  // fed since the last whole reply
  Limits limits_;
  std::unique_ptr<redisReader, Free> reader_;
};

}  // namespace alphaswarm::net::detail
