#pragma once

#include "alphaswarm/base/time.hpp"
#include "alphaswarm/persistence/run_repository.hpp"

namespace alphaswarm::api {

// True for completed, cancelled and error: the session will never change again.
[[nodiscard]] bool has_ended(const persistence::RunRow& run) noexcept;

// The row as a user should see it: a session that has not ended and missed three heartbeats is
// "stale", with the reason. Nobody can write that into the row of a process that is gone.
[[nodiscard]] persistence::RunRow with_liveness(persistence::RunRow run, UnixNanos now);

}  // namespace alphaswarm::api
