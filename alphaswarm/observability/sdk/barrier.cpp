#include "alphaswarm/observability/sdk/barrier.hpp"

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace alphaswarm::observability::sdk {
namespace detail {
std::atomic<bool> producers_fence{true};
}

void prepare_barrier() noexcept {
  const bool available =
      ::syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;
  detail::producers_fence.store(!available, std::memory_order_seq_cst);
}

void barrier_on_all_threads() noexcept {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (!detail::producers_fence.load(std::memory_order_relaxed)) {
    ::syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
  }
}

}  // namespace alphaswarm::observability::sdk
