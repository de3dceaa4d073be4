#include "alphaswarm/tasks/redis_bus.hpp"

namespace alphaswarm::tasks {
namespace {

class RedisSource final : public SubscriptionSource {
 public:
  explicit RedisSource(net::RedisSubscription subscription) noexcept
      : subscription_(std::move(subscription)) {}

  net::task<std::optional<std::string>> next(
      std::optional<std::chrono::nanoseconds> limit) override {
    auto message = limit ? subscription_.next_for(*limit) : subscription_.next();
    std::optional<net::RedisMessage> arrived = co_await std::move(message);
    if (!arrived) co_return std::nullopt;
    co_return std::move(arrived->payload);
  }
  std::uint64_t dropped() const noexcept override { return subscription_.dropped(); }
  std::uint64_t gaps() const noexcept override { return subscription_.gaps(); }

 private:
  net::RedisSubscription subscription_;
};

class RedisBus final : public Bus {
 public:
  RedisBus(std::shared_ptr<net::RedisClient> keys, std::shared_ptr<net::RedisClient> pubsub)
      : keys_(std::move(keys)), pubsub_(std::move(pubsub)) {}

  net::task<Result<void>> publish(std::string channel, std::string payload) override {
    net::RedisCommand command{"PUBLISH", std::move(channel), std::move(payload)};
    const auto reply = co_await pubsub_->command(std::move(command));
    if (!reply) co_return std::unexpected(reply.error());
    co_return Result<void>();
  }

  net::task<Result<Subscription>> subscribe(std::string channel) override {
    std::vector<std::string> channels(1, std::move(channel));
    auto subscription = co_await pubsub_->subscribe(std::move(channels));
    if (!subscription) co_return std::unexpected(subscription.error());
    co_return Subscription(make_redis_source(std::move(*subscription)));
  }

  net::task<Result<void>> set(std::string key, std::string value,
                              std::optional<std::chrono::seconds> time_to_live) override {
    net::RedisCommand command{"SET", std::move(key), std::move(value)};
    if (time_to_live && time_to_live->count() <= 0) {
      // Redis refuses to set what has no time to live: it is gone at once.
      command = {"DEL", std::move(command[1])};
    } else if (time_to_live) {
      command.insert(command.end(), {"EX", std::to_string(time_to_live->count())});
    }
    const auto reply = co_await keys_->command(std::move(command));
    if (!reply) co_return std::unexpected(reply.error());
    co_return Result<void>();
  }

  net::task<Result<std::optional<std::string>>> get(std::string key) override {
    net::RedisCommand command{"GET", std::move(key)};
    auto reply = co_await keys_->command(std::move(command));
    if (!reply) co_return std::unexpected(reply.error());
    if (reply->is_nil()) co_return std::optional<std::string>();
    co_return std::optional<std::string>(std::move(reply->text));
  }

  net::task<Result<bool>> del(std::string key) override {
    net::RedisCommand command{"DEL", std::move(key)};
    const auto reply = co_await keys_->command(std::move(command));
    if (!reply) co_return std::unexpected(reply.error());
    co_return reply->integer > 0;
  }

 private:
  std::shared_ptr<net::RedisClient> keys_;    // shared with the broker
  std::shared_ptr<net::RedisClient> pubsub_;  // may be the same
};

}  // namespace

std::unique_ptr<SubscriptionSource> make_redis_source(net::RedisSubscription subscription) {
  return std::make_unique<RedisSource>(std::move(subscription));
}

std::shared_ptr<Bus> make_redis_bus(std::shared_ptr<net::RedisClient> keys,
                                    std::shared_ptr<net::RedisClient> pubsub) {
  return std::make_shared<RedisBus>(std::move(keys), std::move(pubsub));
}

}  // namespace alphaswarm::tasks
