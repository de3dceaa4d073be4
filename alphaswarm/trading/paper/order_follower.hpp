#pragma once

// What a live venue says of a session's orders: its stream, opened again whenever it ends.

#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

#include "alphaswarm/net/task.hpp"
#include "alphaswarm/trading/broker/broker.hpp"
#include "alphaswarm/trading/broker/retry.hpp"

namespace alphaswarm::trading::paper {

// run() is one task's, the rest anybody's.
class OrderFollower {
 public:
  // `broker` MUST outlive this object; `wake` is called when there is news.
  OrderFollower(Broker& broker, RetryPolicy retry, std::function<void()> wake)
      : broker_(broker), retry_(retry), wake_(std::move(wake)) {}

  // Until the task is asked to stop.
  net::task<void> run();
  // Updates since the last call, oldest first. They may be of other orders of the account.
  [[nodiscard]] std::vector<BrokerUpdate> take();
  // True once after a stream was opened: what happened before is not told, so ask.
  [[nodiscard]] bool take_gap();

 private:
  net::task<Result<void>> listen();

  Broker& broker_;
  const RetryPolicy retry_;
  const std::function<void()> wake_;
  mutable std::mutex mutex_;
  std::deque<BrokerUpdate> updates_;  // guarded by mutex_, as is gap_
  bool gap_ = false;
  bool opened_ = false;  // in this try; run() and listen() only
};

}  // namespace alphaswarm::trading::paper
