#pragma once

// A Redis that has come back with what it had some time ago: noticed, and seen to by one process.
//
// What was sent since may still be there. The queues are looked through in pages, so that Redis
// stands still for none, and what is looked for may move meanwhile. A claim takes it from its list
// to `unacked`, which is looked through after the lists. What goes the other way is counted
// (kPutBacks): a round in which something did finds out nothing. A retry goes to a list that may
// have been looked through before its old message is acknowledged: the next round finds it. So what
// two quiet rounds have not found is not there.

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "alphaswarm/net/redis.hpp"
#include "alphaswarm/tasks/broker.hpp"
#include "alphaswarm/tasks/redis_loans.hpp"

namespace alphaswarm::tasks::detail {

// Thread-safe. See Broker for what its calls mean.
class RedisSetback {
 public:
  RedisSetback(std::shared_ptr<net::RedisClient> client, std::shared_ptr<RedisLoans> loans);

  net::task<Result<std::optional<Setback>>> find(std::chrono::nanoseconds settled);
  // `conflict` where another sees to it by now: then nothing more is noted.
  net::task<Result<std::size_t>> presume_lent_if_missing(std::vector<Delivery> messages,
                                                         std::chrono::nanoseconds grace,
                                                         Setback setback);

 private:
  using Ids = std::set<std::string, std::less<>>;

  // Takes out of `ids` what is in those lists or lent.
  net::task<Result<void>> strike_out(Ids& ids, const Ids& lists, const std::string& owner);
  net::task<Result<void>> strike_out_once(Ids& ids, const Ids& lists, const std::string& owner);
  net::task<Result<std::string>> put_backs();
  net::task<Result<std::size_t>> note(std::vector<Delivery> missing, std::chrono::nanoseconds grace,
                                      const std::string& owner);
  net::task<Result<void>> forget(const Setback& setback);

  const std::shared_ptr<net::RedisClient> client_;
  const std::shared_ptr<RedisLoans> loans_;  // shared with the broker
  const net::RedisScript find_;
  const net::RedisScript page_;
  const net::RedisScript lent_page_;
  const net::RedisScript note_;
  const net::RedisScript forget_;
};

}  // namespace alphaswarm::tasks::detail
