#pragma once

// Queues in Redis, as kombu and Celery 5 keep them, shared with Python clients and workers.

#include <chrono>
#include <memory>

#include "alphaswarm/net/redis.hpp"
#include "alphaswarm/tasks/broker.hpp"

namespace alphaswarm::tasks {

struct RedisBrokerOptions {
  // A message that its worker neither acknowledged nor kept for so long is lent again. All workers
  // on one Redis, Celery's (`visibility_timeout`) included, should agree on it.
  std::chrono::milliseconds visibility_timeout{3'600'000};
  // How often this broker looks for such messages, while it has a consumer.
  std::chrono::milliseconds restore_interval{100'000};
};

// Messages are claimed by one script, which takes them from their list and notes them as
// unacknowledged in the same step: a process may die at any moment and loses none. Results are kept
// here too (keeps_results()).
//
// Waiting costs no polling: a `BLMOVE list list RIGHT RIGHT` moves nothing and returns as soon as
// any client has pushed. It needs one blocking connection for each queue and priority step, which
// `client`'s max_blocking_connections MUST allow. `runtime` MUST outlive the broker.
[[nodiscard]] std::shared_ptr<Broker> make_redis_broker(net::Runtime& runtime,
                                                        std::shared_ptr<net::RedisClient> client,
                                                        const RedisBrokerOptions& options = {});

}  // namespace alphaswarm::tasks
