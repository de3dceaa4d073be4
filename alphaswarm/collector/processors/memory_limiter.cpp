#include "alphaswarm/collector/processors/memory_limiter.hpp"

#include <malloc.h>

#include "alphaswarm/base/log.hpp"
#include "alphaswarm/base/time.hpp"

namespace alphaswarm::collector {

std::size_t heap_in_use() {
  const struct mallinfo2 info = ::mallinfo2();
  return info.uordblks + info.hblkhd;
}

MemoryLimiter::MemoryLimiter(std::string id, MemoryLimiterConfig config,
                             std::shared_ptr<Consumer> next,
                             std::function<std::size_t()> memory_in_use)
    : config_(config),
      counts_(std::move(id)),
      next_(std::move(next)),
      memory_in_use_(std::move(memory_in_use)) {}

Result<void> MemoryLimiter::admit(std::uint64_t spans) {
  bool refusing = false;
  {
    const std::lock_guard lock(mutex_);
    const std::int64_t now = monotonic_ns();
    const std::int64_t interval = std::chrono::nanoseconds(config_.check_interval).count();
    if (checked_at_ns_ == 0 || now - checked_at_ns_ >= interval) {
      checked_at_ns_ = now;
      const std::size_t spike =
          config_.spike_limit_bytes != 0 ? config_.spike_limit_bytes : config_.limit_bytes / 5;
      const bool full = memory_in_use_() > config_.limit_bytes - spike;
      if (full && !refusing_) log_warning(counts_.id(), "memory is short: refusing data for now");
      if (!full && refusing_) log_info(counts_.id(), "accepting data again");
      refusing_ = full;
    }
    refusing = refusing_;
  }
  if (!refusing) return next_->admit(spans);
  counts_.refused(spans);
  return fail(ErrorCode::resource_exhausted,
              "data refused due to high memory usage (" + counts_.id() + ")");
}

void MemoryLimiter::consume(Batches batches) {
  const std::uint64_t spans = span_count(batches);
  counts_.received(spans);
  next_->consume(std::move(batches));
  counts_.sent(spans);
}

}  // namespace alphaswarm::collector
