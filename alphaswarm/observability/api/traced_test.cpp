#include "alphaswarm/observability/api/traced.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>

#include "alphaswarm/observability/api/provider.hpp"
#include "alphaswarm/observability/export/memory.hpp"
#include "alphaswarm/observability/sdk/test_task_test.hpp"
#include "alphaswarm/observability/tracing.hpp"

#if ALPHASWARM_OTEL

namespace alphaswarm::observability {
namespace {

using testing::run;
using testing::Task;

int add(int a, int b) { return a + b; }
int checked(int value) noexcept { return value; }
int& same(int& value) { return value; }

struct Desk {
  int limit = 3;
  int within(int size) const { return size < limit ? size : limit; }
};

Task<int> twice(std::unique_ptr<int> value) {
  const Span inner = span("inner");
  co_return *value * 2;
}
Task<void> store(int& out) {
  out = 7;
  co_return;
}
Task<int&> choose(int& value) { co_return value; }
Task<int> break_down(std::string what) {
  throw std::runtime_error(what);
  co_return 0;
}

class TracedTest : public ::testing::Test {
 protected:
  TracedTest() {
    auto made = TracerProvider::create({.service_name = "test", .sink = memory_});
    provider_ = std::move(*made);
    provider_->install_as_default();
  }
  std::string tree() {
    EXPECT_TRUE(provider_->force_flush());
    return memory_->tree();
  }
  std::shared_ptr<MemorySink> memory_ = std::make_shared<MemorySink>();
  std::unique_ptr<TracerProvider> provider_;
};

TEST_F(TracedTest, KeepsSignatureAndResult) {
  EXPECT_EQ(traced("add", add)(1, 2), 3);
  const auto safe = traced("checked", checked);
  static_assert(noexcept(safe(1)));
  EXPECT_EQ(safe(4), 4);
  int value = 5;
  int& reference = traced("same", same)(value);
  EXPECT_EQ(&reference, &value);
  EXPECT_EQ(traced("member", &Desk::within)(Desk{}, 9), 3);
  const Desk desk;
  EXPECT_EQ(traced("member", &Desk::within)(&desk, 1), 1);
  const auto take = traced("move only", [](std::unique_ptr<int> owned) { return owned; });
  EXPECT_EQ(*take(std::make_unique<int>(8)), 8);
  int calls = 0;
  auto counting = traced("mutable", [calls = 0, &out = calls]() mutable { out = ++calls; });
  counting();
  counting();
  EXPECT_EQ(calls, 2);
  EXPECT_EQ(tree(), "add\nchecked\nsame\nmember\nmember\nmove only\nmutable\nmutable\n");
}

TEST_F(TracedTest, WrapsCoroutines) {
  const auto outer = traced("outer", twice);
  EXPECT_EQ(run(outer(std::make_unique<int>(21))), 42);
  int stored = 0;
  run(traced("void", store)(stored));
  EXPECT_EQ(stored, 7);
  EXPECT_EQ(&run(traced("reference", choose)(stored)), &stored);
  EXPECT_EQ(tree(), "outer\n  inner\nvoid\nreference\n");
}

TEST_F(TracedTest, CopiesShareTheFunctionAndCanBeAssigned) {
  const auto adder = [](int by) { return [by](int value) { return value + by; }; };
  auto one = traced("one", adder(1));
  auto other = traced("other", adder(2));
  const auto copy = other;
  one = other;
  EXPECT_EQ(one(1) + other(1) + copy(1), 9);
  EXPECT_EQ(tree(), "other\nother\nother\n");
}

TEST_F(TracedTest, ALazyCoroutineOutlivesItsWrapper) {
  auto task = traced("late", [](std::string text) -> Task<std::size_t> { co_return text.size(); })(
      "a text too long for the small string");
  EXPECT_EQ(run(std::move(task)), 36U);
  EXPECT_EQ(tree(), "late\n");
}

TEST_F(TracedTest, DescribesTheSpanByItsArguments) {
  const auto fixed = traced("fixed", [] {}, [](Span& span) { span.set("venue", "sim"); });
  fixed();
  const auto computed = traced(
      "computed", [](std::unique_ptr<int> owned, int) { return *owned; },
      [](Span& span, const std::unique_ptr<int>& owned, int b) {
        span.set("a", *owned).set("b", b);  // before the function takes it
      });
  EXPECT_EQ(computed(std::make_unique<int>(4), 5), 4);
  const auto later = traced("later", twice, [](Span& span, const std::unique_ptr<int>& value) {
    span.set("value", *value);
  });
  EXPECT_EQ(run(later(std::make_unique<int>(6))), 12);
  int described = 0;
  provider_->force_flush();
  {
    const auto none = TracerProvider::create({.service_name = "none", .sample_ratio = 0.0});
    const Span parent = span("parent", {.provider = none->get()});
    traced("unsampled", [] {}, [&](Span&) { ++described; })();
  }
  EXPECT_EQ(described, 0);
  EXPECT_EQ(memory_->find("fixed").attributes.at("venue"), "sim");
  EXPECT_EQ(memory_->find("computed").attributes.at("a"), "4");
  EXPECT_EQ(memory_->find("computed").attributes.at("b"), "5");
  EXPECT_EQ(memory_->find("later").attributes.at("value"), "6");
}

TEST_F(TracedTest, AnExceptionIsRecordedOnceByTheInnermostSpan) {
  const auto inner = traced("inner", [] { throw std::runtime_error("disk full"); });
  const auto middle = traced("middle", [&] { inner(); });
  const auto outer = traced("outer", [&] { middle(); });
  EXPECT_THROW(outer(), std::runtime_error);
  EXPECT_EQ(tree(), "outer\n  middle\n    inner\n");
  for (const FinishedSpan& span : memory_->spans()) {
    EXPECT_EQ(span.status, StatusCode::error) << span.name;
    EXPECT_EQ(span.events.size(), span.name == "inner" ? 1U : 0U) << span.name;
  }
  const FinishedEvent event = memory_->find("inner").events[0];
  EXPECT_EQ(event.name, "exception");
  EXPECT_EQ(event.attributes.at("exception.type"), "std::runtime_error");
  EXPECT_EQ(event.attributes.at("exception.message"), "disk full");
}

TEST_F(TracedTest, ExceptionsOfCoroutinesAreRecordedOnce) {
  const auto outer = traced("outer", [](std::string what) -> Task<int> {
    auto inner = traced("inner", break_down);
    auto task = inner(std::move(what));
    co_return co_await std::move(task);
  });
  EXPECT_THROW(run(outer("no quote")), std::runtime_error);
  EXPECT_EQ(tree(), "outer\n  inner\n");
  EXPECT_EQ(memory_->find("inner").events.size(), 1U);
  EXPECT_EQ(memory_->find("outer").events.size(), 0U);
  EXPECT_EQ(memory_->find("outer").status, StatusCode::error);
}

TEST_F(TracedTest, ASecondExceptionIsRecordedAgain) {
  const auto inner = traced("inner", [](int i) { throw std::out_of_range(std::to_string(i)); });
  {
    Span outer = span("outer");
    for (int i = 0; i < 2; ++i) {
      try {
        inner(i);
      } catch (const std::out_of_range&) {
        outer.event("retry");
      }
    }
    try {
      throw std::logic_error("of its own");
    } catch (...) {
      outer.record_current_exception();
    }
  }
  static_cast<void>(tree());
  const FinishedSpan outer = memory_->find("outer");
  ASSERT_EQ(outer.events.size(), 3U);
  EXPECT_EQ(outer.events[2].attributes.at("exception.type"), "std::logic_error");
}

TEST_F(TracedTest, RecordsWhatIsNoStdException) {
  EXPECT_THROW(traced("odd", [] { throw 42; })(), int);
  static_cast<void>(tree());
  EXPECT_EQ(memory_->find("odd").events.at(0).attributes.at("exception.type"), "int");
}

}  // namespace
}  // namespace alphaswarm::observability

#endif
