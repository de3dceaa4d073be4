#pragma once

// Ends loans of Redis, with results or without. What ends at about the same time is sent together.

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "alphaswarm/net/redis.hpp"
#include "alphaswarm/net/sync.hpp"
#include "alphaswarm/tasks/broker.hpp"
#include "alphaswarm/tasks/redis_scripts.hpp"

namespace alphaswarm::tasks::detail {

// Thread-safe. MUST outlive its calls.
class RedisSettling {
 public:
  explicit RedisSettling(std::shared_ptr<net::RedisClient> client) : client_(std::move(client)) {}

  // Acknowledges the message and stores the result, if it has a key. False if it was not lent.
  net::task<Result<bool>> settle(const Delivery& delivery, StoredResult result);

 private:
  struct Settling {
    std::string tag;
    std::string lost_tag;
    StoredResult result;
    Result<bool> done = false;
    net::AsyncEvent event;
  };
  net::task<void> send_all();

  const std::shared_ptr<net::RedisClient> client_;
  const net::RedisScript settle_{kSettle};
  std::mutex mutex_;  // guards what follows
  std::vector<std::shared_ptr<Settling>> settling_;
  bool sending_ = false;
};

}  // namespace alphaswarm::tasks::detail
