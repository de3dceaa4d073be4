#include "alphaswarm/tasks/broker.hpp"

namespace alphaswarm::tasks {

std::size_t priority_step(int priority) noexcept {
  std::size_t step = 0;
  while (step + 1 < kPrioritySteps.size() && kPrioritySteps[step + 1] <= priority) ++step;
  return step;
}

net::task<Result<std::optional<Delivery>>> Broker::pop(std::vector<std::string> queues,
                                                       std::chrono::nanoseconds limit) {
  auto taken = co_await take(std::move(queues), 1, limit);
  if (!taken) co_return std::unexpected(taken.error());
  if (taken->empty()) co_return std::optional<Delivery>();
  co_return std::optional<Delivery>(std::move(taken->front()));
}

net::task<Result<void>> Broker::keep(std::vector<Delivery> /*deliveries*/) {
  co_return Result<void>();
}

net::task<Result<void>> Broker::leave(const Delivery& delivery,
                                      std::chrono::nanoseconds /*grace*/) {
  return acknowledge(delivery);
}

net::task<Result<void>> Broker::revoke(std::string /*task_id*/) { co_return Result<void>(); }

net::task<Result<bool>> Broker::finish(const Delivery& /*delivery*/, StoredResult /*result*/) {
  co_return fail(ErrorCode::unimplemented, "this broker keeps no results");
}

net::task<Result<void>> Broker::store(StoredResult /*result*/) {
  co_return fail(ErrorCode::unimplemented, "this broker keeps no results");
}

net::task<Result<std::optional<std::string>>> Broker::find_result(std::string /*key*/) {
  co_return fail(ErrorCode::unimplemented, "this broker keeps no results");
}

net::task<Result<Subscription>> Broker::subscribe_results() {
  co_return fail(ErrorCode::unimplemented, "this broker keeps no results");
}

net::task<Result<bool>> Broker::has_forgotten() { co_return false; }

net::task<Result<void>> Broker::presume_lent(std::vector<Delivery> /*messages*/,
                                             std::chrono::nanoseconds /*grace*/) {
  co_return fail(ErrorCode::unimplemented, "this broker forgets nothing");
}

net::task<Result<std::optional<Setback>>> Broker::find_setback(
    std::chrono::nanoseconds /*settled*/) {
  co_return std::optional<Setback>();
}

net::task<Result<std::size_t>> Broker::presume_lent_if_missing(std::vector<Delivery> /*messages*/,
                                                               std::chrono::nanoseconds /*grace*/,
                                                               Setback /*setback*/) {
  co_return fail(ErrorCode::unimplemented, "this broker forgets nothing");
}

net::task<Result<void>> Broker::remember() { co_return Result<void>(); }

net::task<Result<std::size_t>> Broker::restore() { co_return std::size_t{0}; }

}  // namespace alphaswarm::tasks
