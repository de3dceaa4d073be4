#include "alphaswarm/tasks/redis_settling.hpp"

#include <utility>

#include "alphaswarm/tasks/redis_loans.hpp"

namespace alphaswarm::tasks::detail {

net::task<Result<bool>> RedisSettling::settle(const Delivery& delivery, StoredResult result) {
  const auto mine = std::make_shared<Settling>();  // shared with who sends it
  mine->tag = delivery.tag;
  mine->lost_tag = lost_tag(delivery);
  mine->result = std::move(result);
  bool send = false;
  {
    const std::scoped_lock lock(mutex_);
    settling_.push_back(mine);
    send = !std::exchange(sending_, true);
  }
  if (send) {
    co_await net::shielded(send_all());
  } else {
    auto told = mine->event.wait();
    (void)co_await net::shielded(std::move(told));
  }
  co_return mine->done;
}

net::task<void> RedisSettling::send_all() {
  for (;;) {
    std::vector<std::shared_ptr<Settling>> batch;
    {
      const std::scoped_lock lock(mutex_);
      batch.swap(settling_);
      if (batch.empty()) {
        sending_ = false;
        co_return;
      }
    }
    std::vector<std::string> keys = {kUnacked, kUnackedIndex};
    std::vector<std::string> arguments;
    for (const auto& each : batch) {
      arguments.push_back(each->tag);
      arguments.push_back(each->lost_tag);
      arguments.push_back(each->result.key);
      arguments.push_back(std::to_string(each->result.time_to_live.count()));
      arguments.push_back(each->result.text);
    }
    const auto reply = co_await client_->script(settle_, std::move(keys), std::move(arguments));
    for (std::size_t i = 0; i < batch.size(); ++i) {
      if (!reply) {
        batch[i]->done = std::unexpected(reply.error());
      } else {
        batch[i]->done = i < reply->elements.size() && reply->elements[i].integer == 1;
      }
      batch[i]->event.set();
    }
  }
}

}  // namespace alphaswarm::tasks::detail
