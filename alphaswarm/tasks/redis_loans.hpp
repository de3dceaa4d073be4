#pragma once

// Messages in Redis that are lent to workers (kombu's `unacked` and `unacked_index`): given back,
// restored when their worker is lost, and noted again when Redis itself has lost them.

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alphaswarm/base/time.hpp"
#include "alphaswarm/net/redis.hpp"
#include "alphaswarm/tasks/broker.hpp"
#include "alphaswarm/tasks/redis_broker.hpp"
#include "alphaswarm/tasks/redis_scripts.hpp"

namespace alphaswarm::tasks::detail {

inline constexpr char kUnacked[] = "unacked";
inline constexpr char kUnackedIndex[] = "unacked_index";

// Ours: how many messages were put back into their lists.
inline constexpr char kPutBacks[] = "alphaswarm:broker:put_backs";

// The list of a queue's priority step, as kombu names it.
[[nodiscard]] std::string list_of(std::string_view queue, std::size_t step);
// Seconds since the epoch, as Python's time() counts them.
[[nodiscard]] std::string as_score(UnixNanos time);
// Under which a task is noted by presume_lent(); empty where its id is not known.
[[nodiscard]] std::string lost_tag(const Delivery& delivery);

// What `unacked` is to hold of it.
[[nodiscard]] std::string lent_of(const Delivery& delivery);
// The same, read: [envelope, exchange, routing key].
struct Lent {
  std::string message;
  std::string queue;
};
[[nodiscard]] std::optional<Lent> decode_lent(std::string_view text);

// Thread-safe. See Broker for what its calls mean.
class RedisLoans {
 public:
  RedisLoans(std::shared_ptr<net::RedisClient> client, const RedisBrokerOptions& options)
      : client_(std::move(client)), options_(options) {}

  // `kept_before`: only if it was not kept since that score; empty: whenever. True if it was lent.
  net::task<Result<bool>> put_back(Delivery delivery, std::string kept_before);
  net::task<Result<bool>> requeue(std::vector<Delivery> deliveries, NextTry next);
  net::task<Result<void>> leave(Delivery delivery, std::chrono::nanoseconds grace);
  // Those whose lease has ended go back to their queues; how many. One process at a time.
  net::task<Result<std::size_t>> restore();
  // From time to time, as long as what it gives lives.
  static std::unique_ptr<ConsumerRegistration> keep_restoring(net::Runtime& runtime,
                                                              std::shared_ptr<RedisLoans> loans);

  net::task<Result<bool>> has_forgotten();
  net::task<Result<void>> presume_lent(std::vector<Delivery> messages,
                                       std::chrono::nanoseconds grace);
  net::task<Result<void>> remember();
  // Of what is noted as lent with `grace` left.
  [[nodiscard]] std::string score_of(std::chrono::nanoseconds grace) const;

 private:
  static net::task<void> restore_from_time_to_time(std::weak_ptr<RedisLoans> loans,
                                                   std::chrono::milliseconds interval);
  net::task<Result<std::size_t>> restore_expired();
  net::task<Result<bool>> restore_one(std::string tag, std::string before);

  const std::shared_ptr<net::RedisClient> client_;
  const RedisBrokerOptions options_;
  const net::RedisScript put_back_{kPutBack};
  const net::RedisScript requeue_{kRequeue};
  const net::RedisScript leave_{kLeave};
  const net::RedisScript presume_lent_{kPresumeLent};
  const net::RedisScript unlock_{kUnlock};
};

}  // namespace alphaswarm::tasks::detail
