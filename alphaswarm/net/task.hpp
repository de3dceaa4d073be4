#pragma once

// The one include for coroutines: task<T>, Runtime, spawn, all, race, on, block_on, sleep_for,
// this_task_stop_token, Channel, AsyncEvent, AsyncMutex. No Asio behind it.

#include "alphaswarm/net/channel.hpp"    // IWYU pragma: export
#include "alphaswarm/net/combine.hpp"    // IWYU pragma: export
#include "alphaswarm/net/coroutine.hpp"  // IWYU pragma: export
#include "alphaswarm/net/runtime.hpp"    // IWYU pragma: export
#include "alphaswarm/net/sync.hpp"       // IWYU pragma: export
