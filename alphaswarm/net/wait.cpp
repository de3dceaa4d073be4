#include "alphaswarm/net/detail/wait.hpp"

#include "alphaswarm/net/runtime.hpp"

namespace alphaswarm::net::detail {

bool WaitQueue::wake_one() {
  WaitNode* const node = first_;
  if (node == nullptr) return false;
  node->unlink();
  schedule(*node->task_, node->handle_);
  return true;
}

void WaitQueue::wake_all() {
  while (wake_one()) {
  }
}

void WaitNode::arm(std::coroutine_handle<> handle) {
  task_ = current_task();
  handle_ = handle;
  if (task_->stop.stop_possible()) on_stop_.emplace(task_->stop, OnStop{this});
  if (deadline_ == kNoDeadline) return;
  const auto on_deadline = [](void* self) {
    static_cast<WaitNode*>(self)->interrupt(WaitOutcome::timed_out);
  };
  timer_.emplace(*task_->runtime, deadline_, on_deadline, this);
}

bool WaitNode::link() noexcept {
  if (outcome_ != WaitOutcome::woken) {
    phase_ = Phase::over;
    return false;
  }
  phase_ = Phase::linked;
  previous_ = queue_.last_;
  (queue_.last_ != nullptr ? queue_.last_->next_ : queue_.first_) = this;
  queue_.last_ = this;
  return true;
}

void WaitNode::unlink() noexcept {
  phase_ = Phase::over;
  (previous_ != nullptr ? previous_->next_ : queue_.first_) = next_;
  (next_ != nullptr ? next_->previous_ : queue_.last_) = previous_;
}

void WaitNode::interrupt(WaitOutcome outcome) noexcept {
  const std::lock_guard lock(mutex_);
  if (phase_ == Phase::over) return;
  outcome_ = outcome;
  if (phase_ == Phase::before) return;  // link() will see it
  unlink();
  schedule(*task_, handle_);
}

WaitOutcome WaitNode::disarm() noexcept {
  // Both destructors wait for a call that is running; afterwards nobody refers to this node.
  on_stop_.reset();
  timer_.reset();
  return outcome_;
}

}  // namespace alphaswarm::net::detail
