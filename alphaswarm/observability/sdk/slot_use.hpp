#pragma once

// Exclusive use of slots and buffers against a shutdown from another thread: see barrier.hpp.

#include "alphaswarm/observability/sdk/barrier.hpp"
#include "alphaswarm/observability/sdk/span_slot.hpp"
#include "alphaswarm/observability/sdk/thread_state.hpp"

namespace alphaswarm::observability::inline ALPHASWARM_OTEL_NAMESPACE::detail {

// Exclusive use of a live slot for one operation; empty if the handle is stale or a shutdown has
// taken the span over.
class SlotUse {
 public:
  explicit SlotUse(Handle handle) noexcept : slot_(slot_of(handle)) {
    const std::uint32_t expected = live_state(handle);
    if (slot_->state.load(std::memory_order_relaxed) != expected ||
        slot_->fork_epoch != fork_epoch.load(std::memory_order_relaxed)) {
      slot_ = nullptr;
      return;
    }
    slot_->busy.store(true, sdk::kBusyStore);  // with freeze() in open_spans.cpp
    sdk::producer_fence();
    if (slot_->state.load(sdk::kBusyLoad) != expected) {
      slot_->busy.store(false, std::memory_order_release);
      slot_ = nullptr;
    }
  }
  ~SlotUse() {
    if (slot_ != nullptr) slot_->busy.store(false, std::memory_order_release);
  }
  SlotUse(const SlotUse&) = delete;
  SlotUse& operator=(const SlotUse&) = delete;

  [[nodiscard]] explicit operator bool() const noexcept { return slot_ != nullptr; }
  [[nodiscard]] SpanSlot& operator*() const noexcept { return *slot_; }
  [[nodiscard]] SpanSlot* operator->() const noexcept { return slot_; }

 private:
  SpanSlot* slot_;
};

// Marks the thread's buffer as in use, so that a shutdown waits for the operation.
class BufferUse {
 public:
  explicit BufferUse(ThreadBuffer& buffer) noexcept : buffer_(buffer) {
    buffer_.busy.store(true, sdk::kBusyStore);  // with ExportWorker::reclaim_idle(), leave_all()
    sdk::producer_fence();
  }
  ~BufferUse() { buffer_.busy.store(false, std::memory_order_release); }
  BufferUse(const BufferUse&) = delete;
  BufferUse& operator=(const BufferUse&) = delete;

 private:
  ThreadBuffer& buffer_;
};

}  // namespace alphaswarm::observability::inline ALPHASWARM_OTEL_NAMESPACE::detail
