#pragma once

// The bus on Redis: PUBLISH and SUBSCRIBE, SET [EX], GET, DEL.

#include <memory>

#include "alphaswarm/net/redis.hpp"
#include "alphaswarm/tasks/bus.hpp"

namespace alphaswarm::tasks {

[[nodiscard]] std::unique_ptr<SubscriptionSource> make_redis_source(
    net::RedisSubscription subscription);

// Keys live at `keys`, messages go over `pubsub`; both may be the same client. While a server is
// away each call fails with `unavailable`; subscriptions go on by themselves when it is back, and
// Subscription::gaps() counts the outages.
[[nodiscard]] std::shared_ptr<Bus> make_redis_bus(std::shared_ptr<net::RedisClient> keys,
                                                  std::shared_ptr<net::RedisClient> pubsub);

}  // namespace alphaswarm::tasks
