#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <mutex>

namespace alphaswarm::trading {

struct RateLimit {
  double per_second = 0;  // 0: no limit
  double burst = 1;       // calls that may go at once after a pause; at least 1
};

// A token bucket that hands out places in time instead of blocking: who calls `reserve` owns the
// place it names and waits until then. Places are first come, first served. Thread-safe.
class RateLimiter {
 public:
  explicit RateLimiter(RateLimit limit) : limit_(limit) {}

  // How long the caller must wait from `now_ns` (any clock that never goes back) before its call.
  [[nodiscard]] std::chrono::nanoseconds reserve(std::int64_t now_ns) noexcept {
    if (limit_.per_second <= 0) return std::chrono::nanoseconds(0);
    const auto gap = static_cast<std::int64_t>(1e9 / limit_.per_second);
    const auto credit =
        static_cast<std::int64_t>(static_cast<double>(gap) * (std::max(1.0, limit_.burst) - 1));
    const std::scoped_lock lock(mutex_);
    // `next_` is when the bucket would be empty of debt: it never lies further back than the
    // unused credit allows, so that a long pause earns one burst and not many.
    if (!started_) next_ = now_ns - credit;
    started_ = true;
    next_ = std::max(next_, now_ns - credit);
    const std::int64_t place = next_;
    next_ += gap;
    return std::chrono::nanoseconds(std::max<std::int64_t>(0, place - now_ns));
  }

 private:
  const RateLimit limit_;
  std::mutex mutex_;
  std::int64_t next_ = 0;
  bool started_ = false;
};

}  // namespace alphaswarm::trading
