#pragma once

// How a running session is asked to stop, from any process.

#include <string>
#include <string_view>

#include "alphaswarm/net/coroutine.hpp"
#include "alphaswarm/tasks/bus.hpp"

namespace alphaswarm::trading {

// Sets the key alphaswarm:paper:<task>:stop for 60 s, then publishes on the channel of that name:
// a session that subscribes first and reads the key after cannot miss it, even if it has not
// started yet. An empty reason becomes "stopped by the user".
net::task<Result<void>> send_stop(tasks::Bus& bus, std::string_view task_id, std::string reason);

}  // namespace alphaswarm::trading
