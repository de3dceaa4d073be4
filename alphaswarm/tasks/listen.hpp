#pragma once

#include <cstdint>
#include <string>

#include "alphaswarm/net/task.hpp"
#include "alphaswarm/tasks/bus.hpp"

namespace alphaswarm::tasks {

enum class Heard : std::uint8_t { payload, gap, end };

// Waits for the next payload, for news that some may have been lost (the bus was away and is back;
// told within a second), or for the end of the subscription or of this task. `gaps` is how many the
// caller knows of: start with subscription.gaps(); a caller that puts the old number back is told
// again.
net::task<Heard> listen(Subscription& subscription, std::uint64_t& gaps, std::string& payload);

}  // namespace alphaswarm::tasks
