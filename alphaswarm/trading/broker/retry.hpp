#pragma once

// When a call to a venue is tried again, and how long to wait before it.

#include <chrono>
#include <optional>
#include <string_view>

#include "alphaswarm/base/time.hpp"

namespace alphaswarm::trading {

struct RetryPolicy {
  int tries = 3;  // in all, the first one included; at least 1
  std::chrono::nanoseconds shortest = std::chrono::milliseconds(500);
  std::chrono::nanoseconds longest = std::chrono::seconds(10);
  // A venue that asks for more patience than this gets its error passed on instead.
  std::chrono::nanoseconds longest_retry_after = std::chrono::seconds(60);
};

// 429, 500, 502, 503 and 504: the venue refuses for now, or failed, or something between did. After
// all but the first it may have done what was asked.
[[nodiscard]] constexpr bool is_retryable_status(int status) noexcept {
  return status == 429 || status == 500 || status == 502 || status == 503 || status == 504;
}

// The wait after `failures` failed tries (at least 1): uniform between `shortest` and
// shortest · 2^failures, which never exceeds `longest`. The jitter keeps sessions that failed
// together from coming back together. `uniform` is a random number in [0, 1).
[[nodiscard]] std::chrono::nanoseconds backoff(const RetryPolicy& policy, int failures,
                                               double uniform) noexcept;

// Retry-After (RFC 9110 §10.2.3): whole seconds, or an HTTP date ("Sun, 06 Nov 1994 08:49:37
// GMT"), which counts from `now`. Nullopt if it is neither; a date in the past is 0.
[[nodiscard]] std::optional<std::chrono::nanoseconds> parse_retry_after(std::string_view value,
                                                                        UnixNanos now) noexcept;

}  // namespace alphaswarm::trading
