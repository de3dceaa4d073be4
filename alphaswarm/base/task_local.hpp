#pragma once

// Storage that belongs to what runs now: a coroutine's task, or else the thread. Opaque here, so
// that the event loop can carry the tracing context without knowing tracing.
//
// Each task owns a slot; siblings never share one. The thread-local holds a pointer to the slot
// of what runs now; whoever resumes a task installs its slot for as long as it runs.

#include <cstddef>

namespace alphaswarm {

// Trivially copyable on purpose: a child's slot starts as a copy of its parent's.
struct TaskSlot {
  static constexpr std::size_t kSize = 64;
  alignas(16) unsigned char bytes[kSize] = {};
};

namespace detail {
extern thread_local constinit TaskSlot thread_slot;
extern thread_local constinit TaskSlot* current_slot;  // null: the thread's own
}  // namespace detail

// The slot of what runs now on this thread. Never fails, never allocates.
[[nodiscard]] inline TaskSlot& current_task_slot() noexcept {
  TaskSlot* slot = detail::current_slot;
  return slot != nullptr ? *slot : detail::thread_slot;
}

// Makes `slot` the current one on this thread until destroyed. The slot itself may die earlier
// (a task that finishes while it runs under this scope): it is not touched again.
class TaskSlotScope {
 public:
  explicit TaskSlotScope(TaskSlot* slot) noexcept : previous_(detail::current_slot) {
    detail::current_slot = slot;
  }
  ~TaskSlotScope() { detail::current_slot = previous_; }
  TaskSlotScope(const TaskSlotScope&) = delete;
  TaskSlotScope& operator=(const TaskSlotScope&) = delete;

 private:
  TaskSlot* previous_;
};

}  // namespace alphaswarm
