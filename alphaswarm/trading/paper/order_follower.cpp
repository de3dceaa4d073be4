#include "alphaswarm/trading/paper/order_follower.hpp"

#include <fmt/format.h>

#include "alphaswarm/base/counters.hpp"
#include "alphaswarm/base/log.hpp"
#include "alphaswarm/base/random.hpp"

namespace alphaswarm::trading::paper {

namespace {

constexpr std::size_t kMaxWaiting = 10'000;

Counter& interruptions() {
  static Counter& counter =
      alphaswarm::counter("alphaswarm_order_stream_interruptions_total", "",
                          "Order streams of live venues that ended and were opened again.");
  return counter;
}

}  // namespace

net::task<Result<void>> OrderFollower::listen() {
  auto stream = co_await broker_.stream_order_updates();
  if (!stream) co_return std::unexpected(stream.error());
  opened_ = true;
  {
    const std::scoped_lock lock(mutex_);
    gap_ = true;
  }
  wake_();
  for (;;) {
    auto update = co_await (*stream)->next();
    if (!update) co_return std::unexpected(update.error());
    if (!*update) co_return fail(ErrorCode::unavailable, "the venue closed the order stream");
    {
      const std::scoped_lock lock(mutex_);
      if (updates_.size() >= kMaxWaiting) {
        updates_.clear();  // asking tells what they would have
        gap_ = true;
      }
      updates_.push_back(std::move(**update));
    }
    wake_();
  }
}

net::task<void> OrderFollower::run() {
  for (int failures = 0;;) {
    opened_ = false;
    const Result<void> ended = co_await listen();
    if (ended.error().code == ErrorCode::cancelled) co_return;
    interruptions().add();
    failures = opened_ ? 1 : failures + 1;
    log_warning("paper",
                fmt::format("{} order stream: {}", broker_.venue(), ended.error().message));
    const Result<void> slept =
        co_await net::sleep_for(backoff(retry_, failures, thread_random().uniform()));
    if (!slept) co_return;
  }
}

std::vector<BrokerUpdate> OrderFollower::take() {
  const std::scoped_lock lock(mutex_);
  std::vector<BrokerUpdate> all(std::make_move_iterator(updates_.begin()),
                                std::make_move_iterator(updates_.end()));
  updates_.clear();
  return all;
}

bool OrderFollower::take_gap() {
  const std::scoped_lock lock(mutex_);
  return std::exchange(gap_, false);
}

}  // namespace alphaswarm::trading::paper
