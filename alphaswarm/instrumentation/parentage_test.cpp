// net's randomised test of task slots once more, with real spans: whatever is mixed, each exported
// span hangs on the span that was current where its task was forked, and none is lost.

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "alphaswarm/base/random.hpp"
#include "alphaswarm/base/thread.hpp"
#include "alphaswarm/instrumentation/spans_for_tests.hpp"
#include "alphaswarm/net/task.hpp"

namespace alphaswarm::instrumentation {
namespace {

namespace otel = alphaswarm::observability;

class Forest {
 public:
  Forest(std::uint64_t seed, unsigned threads)
      : random_(seed), main_("main", threads), other_("other", threads) {}

  void grow(int trees) {
    const std::jthread canceller = start_thread("canceller", [this](std::stop_token stop) {
      while (!stop.stop_requested()) {
        pick_source().request_stop();
        std::this_thread::yield();
      }
    });
    for (int i = 0; i < trees; ++i) net::block_on(main_, tree("", 5));
    const auto busy = [this] { return main_.active_tasks() + other_.active_tasks() > 0; };
    while (busy()) std::this_thread::yield();
  }

  SpanKeeper keeper;
  std::atomic<std::uint64_t> opened{0};

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
    const std::lock_guard lock(mutex_);
    return sources_.emplace_back();
  }

  net::task<void> pause() {
    const std::uint64_t kind = below(3);
    if (kind == 0) co_await net::yield();
    const std::chrono::microseconds nap(below(200));
    if (kind == 1) (void)co_await net::sleep_for(nap);
  }

  // A span named by its number, which notes the name of the span it must hang on.
  net::task<void> tree(std::string parent, int depth) {
    const std::string name = std::to_string(opened.fetch_add(1) + 1);
    otel::SpanOptions options;
    options.provider = keeper.provider();
    options.root = parent.empty();
    otel::Span span = otel::span(name, options);
    span.set("expected", parent);
    for (std::uint64_t step = below(4); step > 0; --step) {
      co_await pause();
      {
        const otel::Span inner = leaf(name);
      }
      if (depth > 0) co_await fork(name, depth - 1);
    }
  }
  otel::Span leaf(const std::string& parent) {
    opened.fetch_add(1);
    otel::Span span = otel::span("leaf");
    span.set("expected", parent);
    return span;
  }

  net::task<void> fork(std::string self, int depth) {
    switch (below(6)) {
      case 0: {
        std::vector<net::task<void>> children;
        for (std::uint64_t i = below(5); i > 0; --i) children.push_back(tree(self, depth));
        co_await net::all(std::move(children));
        break;
      }
      case 1:
        co_await net::race(tree(self, depth), tree(self, depth), pause());
        break;
      case 2:
        net::spawn(*net::Runtime::current(), tree(self, depth));
        break;
      case 3:
        net::spawn(*net::Runtime::current(), new_source(), tree(self, depth));
        break;
      case 4:
        co_await net::on(net::Runtime::current() == &main_ ? other_ : main_, tree(self, depth));
        break;
      default:
        co_await tree(self, depth);
    }
  }

  std::mutex mutex_;
  Random random_;                          // guarded by mutex_
  std::vector<std::stop_source> sources_;  // guarded by mutex_
  net::Runtime main_;
  net::Runtime other_;
};

class SpanParentage : public testing::TestWithParam<unsigned> {};

TEST_P(SpanParentage, EverySpanHangsOnTheOneItShould) {
  const char* fixed = std::getenv("ALPHASWARM_TEST_SEED");
  const std::uint64_t seed =
      fixed != nullptr ? std::strtoull(fixed, nullptr, 10) : thread_random().next();
  SCOPED_TRACE("ALPHASWARM_TEST_SEED=" + std::to_string(seed));
  Forest forest(seed, GetParam());
  for (int round = 0; round < 100 && forest.opened.load() < 10'000; ++round) forest.grow(10);

  const std::vector<otel::FinishedSpan> spans = forest.keeper.spans();
  EXPECT_EQ(spans.size(), forest.opened.load());
  std::map<SpanId, const otel::FinishedSpan*> by_id;
  for (const auto& span : spans) by_id[span.span_id] = &span;
  std::size_t wrong = 0;
  for (const auto& span : spans) {
    const auto parent = by_id.find(span.parent_id);
    const std::string name = parent == by_id.end() ? "" : parent->second->name;
    const bool same_trace = parent == by_id.end() || parent->second->trace_id == span.trace_id;
    if (name != span.attributes.at("expected") || !same_trace) ++wrong;
  }
  EXPECT_EQ(wrong, 0U);
  EXPECT_GE(spans.size(), 5'000U);
}

INSTANTIATE_TEST_SUITE_P(Threads, SpanParentage, testing::Values(1U, 4U));

}  // namespace
}  // namespace alphaswarm::instrumentation
