#include "alphaswarm/base/random.hpp"

#include <pthread.h>
#include <sys/random.h>
#include <time.h>

#include <atomic>

namespace alphaswarm {
namespace {

// Bumped in the child of a fork, so that parent and child never draw the same ids.
std::atomic<std::uint32_t> fork_epoch{1};
const int kForkHandler = ::pthread_atfork(nullptr, nullptr, [] {
  fork_epoch.fetch_add(1, std::memory_order_relaxed);  // the child has one thread: no partner
});

std::uint64_t kernel_seed() noexcept {
  std::uint64_t seed = 0;
  if (::getrandom(&seed, sizeof seed, GRND_NONBLOCK) != static_cast<ssize_t>(sizeof seed)) {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    seed = static_cast<std::uint64_t>(now.tv_nsec) ^ reinterpret_cast<std::uintptr_t>(&seed);
  }
  return seed;
}

struct ThreadRandom {
  Random random{0};
  std::uint32_t epoch = 0;
};

}  // namespace

Random::Random(std::uint64_t seed) noexcept : state_{} {
  for (std::uint64_t& word : state_) {  // splitmix64, as the generator's authors advise
    seed += 0x9e3779b97f4a7c15U;
    std::uint64_t mixed = seed;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9U;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebU;
    word = mixed ^ (mixed >> 31);
  }
}

Random& thread_random() noexcept {
  static_cast<void>(kForkHandler);
  thread_local ThreadRandom local;
  const std::uint32_t epoch = fork_epoch.load(std::memory_order_relaxed);
  if (local.epoch != epoch) {
    local.random = Random(kernel_seed());
    local.epoch = epoch;
  }
  return local.random;
}

}  // namespace alphaswarm
