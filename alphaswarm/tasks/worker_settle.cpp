// How a message ends: acknowledged, with a result or without, given back, or left to another
// worker.

#include <fmt/format.h>

#include "alphaswarm/base/counters.hpp"
#include "alphaswarm/base/log.hpp"
#include "alphaswarm/tasks/worker_impl.hpp"

namespace alphaswarm::tasks {

net::task<void> Worker::Impl::settle(Settlement settlement, Handling& handling) {
  if (settlement == Settlement::settled) co_return;
  handling.release_slots();
  const auto end = [&](const Delivery& delivery) {
    if (settlement == Settlement::acknowledge) return broker_->acknowledge(delivery);
    if (settlement == Settlement::leave) return broker_->leave(delivery, config_.claim_grace);
    return broker_->give_back(delivery);
  };
  for (auto some = handling.take_deliveries(); !some.empty(); some = handling.take_deliveries()) {
    for (const Delivery& delivery : some) {
      const auto settled = co_await end(delivery);
      if (!settled) log_error("worker", "settling a message failed: " + settled.error().message);
    }
  }
  if (settlement == Settlement::leave && broker_->lease().count() > 0) restore_left();
}

void Worker::Impl::restore_left() {
  {
    const std::scoped_lock lock(mutex_);
    left_more_ = true;
    if (restoring_) return;
    restoring_ = true;
  }
  net::spawn(runtime_, keep_stop_, keeping(shared_from_this(), restore_after_grace()));
}

net::task<void> Worker::Impl::restore_after_grace() {
  for (;;) {
    {
      const std::scoped_lock lock(mutex_);
      restoring_ = std::exchange(left_more_, false);
      if (!restoring_) co_return;
    }
    // A little later than the last of them: the broker compares times.
    constexpr std::chrono::milliseconds kAfter{50};
    if (!co_await net::sleep_for(config_.claim_grace + kAfter)) co_return;
    // If it fails, the next round of any worker does it.
    (void)co_await broker_->restore();
  }
}

net::task<Worker::Impl::Settlement> Worker::Impl::settle_ended(const TaskMessage& message,
                                                               TaskResult ended,
                                                               Handling& handling) {
  const bool wanted = wants_result(message);
  // The table keeps less of an error than clients see.
  const bool lacking = wanted && !co_await stored_result(message.id);
  if (broker_->keeps_results()) {
    (void)co_await finish_at_broker(std::move(ended), lacking, handling);
    co_return Settlement::settled;
  }
  if (lacking) {
    const auto stored = co_await store(std::move(ended));
    if (!stored) log_error("worker", "storing a result failed: " + stored.error().message);
  }
  co_return Settlement::acknowledge;
}

bool Worker::Impl::passes(const Error& error) {
  return error.code == ErrorCode::unavailable || error.code == ErrorCode::deadline_exceeded ||
         error.code == ErrorCode::resource_exhausted || error.code == ErrorCode::cancelled ||
         error.code == ErrorCode::data_loss;
}

bool Worker::Impl::is_stopping() const {
  const std::scoped_lock lock(mutex_);
  return stopping_;
}

net::task<bool> Worker::Impl::finish_at_broker(TaskResult result, bool wanted, Handling& handling) {
  StoredResult stored;
  if (wanted) {
    stored = {result_key(result.task_id), encode_result(result), kResultTimeToLive};
  }
  handling.release_slots();
  bool recorded = false;
  for (auto deliveries = handling.take_deliveries(); !deliveries.empty();) {
    auto done = co_await broker_->finish(deliveries.back(), stored);
    if (done) {
      recorded = recorded || *done;
      deliveries.pop_back();
      if (deliveries.empty()) deliveries = handling.take_deliveries();
      continue;
    }
    log_error("worker", fmt::format("the result of task {} could not be stored: {}", result.task_id,
                                    done.error().message));
    if (is_stopping()) co_return false;        // it is lent again to a worker that can
    handling.put_back(std::move(deliveries));  // still kept from others meanwhile
    (void)co_await net::sleep_for(std::chrono::seconds(1));
    deliveries = handling.take_deliveries();
  }
  if (!recorded) {
    static Counter& late = counter("alphaswarm_tasks_late_results_total", "",
                                   "Results not stored: the message was lent to another worker.");
    late.add();
  }
  co_return recorded;
}

}  // namespace alphaswarm::tasks
