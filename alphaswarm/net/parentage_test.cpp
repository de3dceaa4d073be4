// The randomised test of the one promise behind tracing: each fork owns a slot that starts as a
// copy of its parent's, and nobody ever sees or overwrites another's, however forks are mixed with
// threads and cancellation. A slot holds a stack of node numbers as the tracing context would hold
// a span: entering pushes, leaving pops, children must find their parent on top.

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "alphaswarm/base/random.hpp"
#include "alphaswarm/base/task_local.hpp"
#include "alphaswarm/base/thread.hpp"
#include "alphaswarm/net/task.hpp"

namespace alphaswarm::net {
namespace {

struct Context {
  std::uint64_t node = 0;
  std::uint64_t check = 0;  // derived from node: a torn or mixed copy shows
};

constexpr std::uint64_t kMix = 0x9e3779b97f4a7c15U;

Context read_slot() {
  Context context;
  std::memcpy(&context, current_task_slot().bytes, sizeof context);
  return context;
}
void write_slot(std::uint64_t node) {
  const Context context{node, node * kMix};
  std::memcpy(current_task_slot().bytes, &context, sizeof context);
}

class Forest {
 public:
  Forest(std::uint64_t seed, unsigned threads)
      : random_(seed), main_("main", threads), other_("other", threads) {}

  void run(int roots) {
    const std::jthread canceller = start_thread("canceller", [this](std::stop_token stop) {
      while (!stop.stop_requested()) {
        std::stop_source source = pick_source();
        source.request_stop();
        std::this_thread::yield();
      }
    });
    for (int i = 0; i < roots; ++i) {
      write_slot(0);
      block_on(main_, tree(0, 5));
      EXPECT_EQ(read_slot().node, 0U) << "block_on() leaked into the caller's slot";
    }
    const auto drained = [this] { return main_.active_tasks() == 0 && other_.active_tasks() == 0; };
    while (!drained()) std::this_thread::yield();
  }

  std::atomic<std::uint64_t> wrong{0};
  std::atomic<std::uint64_t> nodes{0};
  std::atomic<std::uint64_t> cancelled{0};

 private:
  std::uint64_t below(std::uint64_t bound) {
    const std::lock_guard lock(mutex_);
    return random_.below(bound);
  }
  std::stop_source pick_source() {
    const std::lock_guard lock(mutex_);
    if (sources_.empty()) return {};
    std::stop_source source = sources_.back();
    sources_.pop_back();
    return source;
  }
  std::stop_source new_source() {
    std::stop_source source;
    const std::lock_guard lock(mutex_);
    sources_.push_back(source);
    return source;
  }
  void expect(std::uint64_t node) {
    const Context context = read_slot();
    if (context.node != node || context.check != node * kMix) wrong.fetch_add(1);
  }

  task<void> pause() {
    switch (below(3)) {
      case 0:
        co_await yield();
        break;
      case 1: {
        const std::chrono::microseconds nap(below(200));
        if (!co_await sleep_for(nap)) cancelled.fetch_add(1);
        break;
      }
      default:
        break;
    }
  }

  // `parent` is what the slot must hold when this begins and again when it ends.
  task<void> tree(std::uint64_t parent, int depth) {
    expect(parent);
    const std::uint64_t self = nodes.fetch_add(1) + 1;
    write_slot(self);
    for (std::uint64_t step = below(4); step > 0; --step) {
      co_await pause();
      expect(self);
      if (depth > 0) co_await fork(self, depth - 1);
      expect(self);
    }
    write_slot(parent);
  }

  task<void> fork(std::uint64_t self, int depth) {
    switch (below(6)) {
      case 0: {
        std::vector<task<void>> children;
        for (std::uint64_t i = below(5); i > 0; --i) children.push_back(tree(self, depth));
        co_await all(std::move(children));
        break;
      }
      case 1:
        co_await race(tree(self, depth), tree(self, depth), pause());
        break;
      case 2:
        spawn(*Runtime::current(), tree(self, depth));
        break;
      case 3:
        spawn(*Runtime::current(), new_source(), tree(self, depth));
        break;
      case 4:
        co_await on(Runtime::current() == &main_ ? other_ : main_, tree(self, depth));
        break;
      default:
        co_await tree(self, depth);  // no fork: the same slot, used in turn
    }
  }

  std::mutex mutex_;
  Random random_;                          // guarded by mutex_
  std::vector<std::stop_source> sources_;  // guarded by mutex_
  Runtime main_;
  Runtime other_;
};

std::uint64_t seed_of_this_run() {
  const char* fixed = std::getenv("ALPHASWARM_TEST_SEED");
  return fixed != nullptr ? std::strtoull(fixed, nullptr, 10) : thread_random().next();
}

class Parentage : public testing::TestWithParam<unsigned> {};

TEST_P(Parentage, EveryForkSeesItsParentAndNobodyElse) {
  const std::uint64_t seed = seed_of_this_run();
  SCOPED_TRACE("ALPHASWARM_TEST_SEED=" + std::to_string(seed));
  Forest forest(seed, GetParam());
  int roots = 0;
  // Trees differ much in size: until thousands of nodes have been checked.
  while (forest.nodes.load() < 20'000 && roots < 2'000) {
    forest.run(10);
    roots += 10;
  }
  EXPECT_EQ(forest.wrong.load(), 0U);
  EXPECT_GE(forest.nodes.load(), 5'000U);
  EXPECT_GT(forest.cancelled.load(), 0U);
}

INSTANTIATE_TEST_SUITE_P(Threads, Parentage, testing::Values(1U, 4U));

}  // namespace
}  // namespace alphaswarm::net
