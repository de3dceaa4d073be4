// Contexts that are taken to other threads.

#include "alphaswarm/observability/api/context.hpp"

#include <gtest/gtest.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "alphaswarm/base/random.hpp"
#include "alphaswarm/observability/api/baggage.hpp"
#include "alphaswarm/observability/api/provider.hpp"
#include "alphaswarm/observability/export/memory.hpp"
#include "alphaswarm/observability/tracing.hpp"

namespace alphaswarm::observability {
namespace {

TEST(CarryContext, KeepsSignatureAndResult) {
  auto add = carry_context([](int a, int b) noexcept { return a + b; });
  static_assert(noexcept(add(1, 2)));
  EXPECT_EQ(add(1, 2), 3);
  int value = 0;
  auto same = carry_context([&value]() -> int& { return value; });
  EXPECT_EQ(&same(), &value);
  auto owned = carry_context([](std::unique_ptr<int> one) { return one; });
  EXPECT_EQ(*owned(std::make_unique<int>(7)), 7);
  // A jthread gives a stop token only to what takes one.
  bool asked = false;
  std::jthread(carry_context([&](const std::stop_token& stop) {
    asked = stop.stop_possible();
  })).join();
  EXPECT_TRUE(asked);
  std::jthread(carry_context([&] { asked = false; })).join();
  EXPECT_FALSE(asked);
}

#if ALPHASWARM_OTEL

// As a user's: jobs of any kind, several threads.
class Pool {
 public:
  explicit Pool(int threads) {
    for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
  }
  ~Pool() {
    {
      const std::scoped_lock lock(mutex_);
      over_ = true;
    }
    changed_.notify_all();
  }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;
  void post(std::function<void()> job) {
    {
      const std::scoped_lock lock(mutex_);
      jobs_.push_back(std::move(job));
    }
    changed_.notify_one();
  }
  void wait_until_idle() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return jobs_.empty() && running_ == 0; });
  }

 private:
  void run() {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [&] { return over_ || !jobs_.empty(); });
      if (jobs_.empty()) return;
      const auto job = std::move(jobs_.front());
      jobs_.pop_front();
      ++running_;
      lock.unlock();
      job();
      lock.lock();
      --running_;
      changed_.notify_all();
    }
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> jobs_;
  int running_ = 0;
  bool over_ = false;
  std::vector<std::jthread> threads_;
};

class ContextTest : public ::testing::Test {
 protected:
  ContextTest() {
    auto made = TracerProvider::create({.service_name = "test", .sink = memory_});
    provider_ = std::move(*made);
  }
  std::string tree() {
    EXPECT_TRUE(provider_->force_flush());
    return memory_->tree();
  }
  Span root(std::string_view name) { return span(name, {.provider = provider_.get()}); }
  std::shared_ptr<MemorySink> memory_ = std::make_shared<MemorySink>();
  std::unique_ptr<TracerProvider> provider_;
};

TEST_F(ContextTest, AThreadContinuesTheTrace) {
  {
    const Span outer = root("outer");
    Baggage baggage;
    baggage.set("desk", "7");
    const BaggageScope carried(baggage);
    std::jthread(carry_context([] {
      const Span inner = span("inner");
      EXPECT_EQ(current_baggage().to_header(), "desk=7");
      const Span innermost = span("innermost");
    })).join();
    std::jthread([] { EXPECT_FALSE(current_context().is_valid()); }).join();
    EXPECT_EQ(current_context().span_id, outer.context().span_id);
  }
  EXPECT_EQ(tree(), "outer\n  inner\n    innermost\n");
}

TEST_F(ContextTest, AScopeEndsAndTheThreadHasItsOwnAgain) {
  Context of_first;
  {
    const Span first = root("first");
    of_first = Context::current();
  }
  {
    const Span second = root("second");
    {
      const ContextScope scope(of_first);
      const Span late = span("late");  // its parent has ended
    }
    const Span child = span("child");
    const ContextScope none{Context()};
    EXPECT_FALSE(current_context().is_valid());
  }
  EXPECT_EQ(tree(), "first\n  late\nsecond\n  child\n");
}

TEST_F(ContextTest, OneWhoInheritedASpanDoesNotWriteToIt) {
  {
    const Span outer = root("outer");
    std::jthread(carry_context([] { set_on_current("from", "elsewhere"); })).join();
  }
  static_cast<void>(tree());
  EXPECT_TRUE(memory_->find("outer").attributes.empty());
}

// Jobs that post jobs, on four threads: each span's parent is the one it was posted from.
TEST_F(ContextTest, APoolKeepsEveryParent) {
  const std::uint64_t seed = thread_random().next();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::atomic<int> next{0};
  {
    Pool pool(4);
    std::function<void(int, int, std::uint64_t)> job = [&](int parent, int depth,
                                                           std::uint64_t random) {
      const int number = next.fetch_add(1);
      const Span open = span(std::to_string(number), {{"parent", parent}});
      Random own(random);
      const std::uint64_t children = depth < 6 ? own.below(4) : 0;
      for (std::uint64_t i = 0; i < children; ++i) {
        const std::uint64_t seeded = own.next();
        pool.post(carry_context([&, number, depth, seeded] { job(number, depth + 1, seeded); }));
      }
    };
    Random random(seed);
    for (int i = 0; i < 50; ++i) {
      const Span begin = root("root");
      const std::uint64_t seeded = random.next();
      pool.post(carry_context([&, seeded] { job(-1, 0, seeded); }));
    }
    pool.wait_until_idle();
  }
  ASSERT_TRUE(provider_->force_flush());
  std::map<SpanId, std::string> names;
  const auto all = memory_->spans();
  for (const FinishedSpan& each : all) names[each.span_id] = each.name;
  EXPECT_EQ(all.size(), 50U + static_cast<std::size_t>(next.load()));
  for (const FinishedSpan& each : all) {
    if (each.name == "root") continue;
    const std::string& wanted = each.attributes.at("parent");
    EXPECT_EQ(names.at(each.parent_id), wanted == "-1" ? "root" : wanted);
  }
}

#endif

}  // namespace
}  // namespace alphaswarm::observability
