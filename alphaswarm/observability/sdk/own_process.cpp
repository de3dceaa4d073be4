#include "alphaswarm/observability/sdk/own_process.hpp"

#include <pthread.h>

#include <atomic>

namespace alphaswarm::observability::sdk {
namespace {

std::atomic<std::uint32_t> forks{0};  // one more in each child, which begins with one thread

void watch_forks() noexcept {
  static const int kWatched =
      ::pthread_atfork(nullptr, nullptr, [] { forks.fetch_add(1, std::memory_order_relaxed); });
  static_cast<void>(kWatched);
}

}  // namespace

OwnProcess::OwnProcess() noexcept {
  watch_forks();
  forks_ = forks.load(std::memory_order_relaxed);
}

bool OwnProcess::is_here() const noexcept {
  return forks_ == forks.load(std::memory_order_relaxed);
}

}  // namespace alphaswarm::observability::sdk
