#pragma once

// The one connection that carries all subscriptions of a client.

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "alphaswarm/net/channel.hpp"
#include "alphaswarm/net/detail/redis_connection.hpp"
#include "alphaswarm/net/detail/redis_gate.hpp"
#include "alphaswarm/net/redis.hpp"
#include "alphaswarm/net/sync.hpp"

namespace alphaswarm::net::detail {

// A channel, or a pattern of channels.
struct RedisTopic {
  std::string name;
  bool is_pattern = false;
  friend auto operator<=>(const RedisTopic&, const RedisTopic&) = default;
};

// Where a subscription's messages wait for their reader.
struct RedisMailbox {
  RedisMailbox(std::vector<RedisTopic> of, std::size_t capacity)
      : topics(std::move(of)), messages(capacity) {}

  const std::vector<RedisTopic> topics;
  Channel<RedisMessage> messages;
  std::atomic<std::uint64_t> dropped{0};
  std::atomic<std::uint64_t> gaps{0};
  bool broken = false;  // since the connection was lost; guarded by the hub's mutex
};

// Its loop is a task of the runtime, started with the first subscription; both it and the
// subscriptions share this object, so that they may end in any order.
class RedisPubSub : public std::enable_shared_from_this<RedisPubSub> {
 public:
  RedisPubSub(Runtime& runtime, const RedisConfig& config)
      : runtime_(runtime), config_(config), gate_(runtime, config_) {}

  task<Result<RedisSubscription>> subscribe(std::vector<RedisTopic> topics);
  void remove(const RedisMailbox& mailbox);
  // The client is gone: no more messages, the loop ends.
  void close();

 private:
  struct Topic {
    std::vector<std::shared_ptr<RedisMailbox>> mailboxes;  // none: to be unsubscribed soon
    bool confirmed = false;                                // by the server, on this connection
  };
  using Command = std::pair<std::string_view, bool>;  // name, for patterns

  task<void> run();
  task<void> serve(std::shared_ptr<RedisConnection> connection);
  task<Result<void>> tell(RedisConnection& connection, bool subscribe,
                          std::vector<RedisTopic> topics);
  task<Result<void>> ask_for(std::vector<RedisTopic> topics);
  task<Result<void>> sweep(RedisConnection& connection);
  void take(RedisReply reply);
  void deliver(const RedisTopic& topic, RedisMessage message);
  void lost();

  Runtime& runtime_;
  const RedisConfig config_;
  RedisGate gate_;
  std::stop_source stop_;
  AsyncMutex write_mutex_;  // what is subscribed and what is written go together

  std::mutex mutex_;  // guards all below
  std::map<RedisTopic, Topic> topics_;
  std::shared_ptr<RedisConnection> connection_;  // null while there is none
  std::optional<Error> last_error_;              // of the attempt that failed last
  std::uint64_t attempts_ = 0;                   // ended, well or badly
  std::uint64_t refusals_ = 0;                   // error replies
  bool running_ = false;
  bool closed_ = false;
  WaitQueue changed_;  // a topic was confirmed, an attempt failed, the hub was closed
};

}  // namespace alphaswarm::net::detail
