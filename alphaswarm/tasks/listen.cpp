#include "alphaswarm/tasks/listen.hpp"

#include "alphaswarm/base/time.hpp"

namespace alphaswarm::tasks {

namespace {
constexpr std::chrono::seconds kLookForGapsEvery(1);
}

net::task<Heard> listen(Subscription& subscription, std::uint64_t& gaps, std::string& payload) {
  for (;;) {
    const std::int64_t from = monotonic_ns();
    std::optional<std::string> next = co_await subscription.next_for(kLookForGapsEvery);
    if (next) {
      payload = std::move(*next);
      co_return Heard::payload;
    }
    if (net::this_task_stop_token().stop_requested()) co_return Heard::end;
    if (gaps != subscription.gaps()) {
      gaps = subscription.gaps();
      co_return Heard::gap;
    }
    const std::chrono::nanoseconds waited(monotonic_ns() - from);
    if (waited < kLookForGapsEvery) co_return Heard::end;
  }
}

}  // namespace alphaswarm::tasks
