// g++ 12 destroys some temporaries of a full expression with co_await twice: capturing lambdas
// and braced aggregates. Our headers are used with it, so that what they do around a co_await is
// checked here with objects that count, under both compilers (presets release and gcc-sdk). Callers
// keep to the rule of the house: name such temporaries first and move them in.

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "alphaswarm/observability/api/provider.hpp"
#include "alphaswarm/observability/sdk/test_task_test.hpp"
#include "alphaswarm/observability/tracing.hpp"

namespace alphaswarm::observability {
namespace {

using testing::run;
using testing::Task;

// Notices every construction and destruction.
struct Counted {
  static inline int alive = 0;
  std::string text = "long enough not to be stored in the string itself";
  Counted() { ++alive; }
  Counted(const Counted& other) : text(other.text) { ++alive; }
  Counted(Counted&& other) noexcept : text(std::move(other.text)) { ++alive; }
  Counted& operator=(const Counted&) = default;
  Counted& operator=(Counted&&) = default;
  ~Counted() { --alive; }
};

struct Order {
  Counted client_id;
  int shares = 0;
};

Task<int> submit(Order order) { co_return order.shares; }

template <class F>
Task<int> call(F function) {
  co_return function();
}

Task<int> session() {
  const auto traced_submit = traced("submit", submit);
  int total = 0;
  for (int i = 0; i < 10; ++i) {
    Order order{.client_id = {}, .shares = i};
    auto task = traced_submit(std::move(order));
    total += co_await std::move(task);
    Counted captured;
    auto function = [captured, i] { return captured.text.empty() ? 0 : i; };
    auto traced_call = traced("call", [](auto inner) { return call(std::move(inner)); });
    auto called = traced_call(std::move(function));
    total += co_await std::move(called);
  }
  co_return total;
}

TEST(CoroutineTemporaries, AreDestroyedOnce) {
  for (const bool recording : {false, true}) {
    auto provider = TracerProvider::create({.service_name = "test"});
    ASSERT_TRUE(provider.has_value());
    if (recording) (*provider)->install_as_default();
    EXPECT_EQ(run(session()), 90);
    EXPECT_EQ(Counted::alive, 0);
  }
}

}  // namespace
}  // namespace alphaswarm::observability
