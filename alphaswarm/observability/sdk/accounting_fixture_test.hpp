#pragma once

// What the tests of accounting and delivery share: a receiver that counts, and spans for it.

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "alphaswarm/observability/api/provider.hpp"
#include "alphaswarm/observability/export/batch_sink.hpp"
#include "alphaswarm/observability/sdk/barrier.hpp"
#include "alphaswarm/observability/sdk/test_support_test.hpp"
#include "alphaswarm/observability/tracing.hpp"

namespace alphaswarm::observability::testing {

using std::chrono::milliseconds;

// Counts spans by decoding each request, and can be made to block or to refuse.
class TestSink final : public BatchSink {
 public:
  SinkResult send(const Batch& batch, milliseconds) override {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !blocked_; });
    std::string request = batch.request.joined();
    const auto spans = spans_of(request);
    EXPECT_EQ(spans.size(), batch.span_count);
    if (!refused_.empty()) {
      EXPECT_TRUE(request == refused_) << "offered again, it is another";
    }
    refused_.clear();
    if (next_.status == SinkResult::retry) refused_ = std::move(request);
    if (next_.status == SinkResult::accepted) received_ += spans.size() - next_.rejected_spans;
    ++calls_;
    times_.push_back(std::chrono::steady_clock::now());
    changed_.notify_all();
    return next_;
  }
  void block(bool on) {
    const std::scoped_lock lock(mutex_);
    blocked_ = on;
    changed_.notify_all();
  }
  void answer(SinkResult next) {
    const std::scoped_lock lock(mutex_);
    next_ = std::move(next);
  }
  void wait_for_calls(int count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return calls_ >= count; });
  }
  // Between calls.
  std::vector<milliseconds> pauses() {
    const std::scoped_lock lock(mutex_);
    std::vector<milliseconds> found;
    for (std::size_t i = 1; i < times_.size(); ++i) {
      found.push_back(std::chrono::duration_cast<milliseconds>(times_[i] - times_[i - 1]));
    }
    return found;
  }
  std::uint64_t received() {
    const std::scoped_lock lock(mutex_);
    return received_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool blocked_ = false;
  SinkResult next_;
  int calls_ = 0;
  std::vector<std::chrono::steady_clock::time_point> times_;
  std::uint64_t received_ = 0;
  std::string refused_;  // and to be offered again
};

class AccountedTest : public ::testing::Test {
 protected:
  std::unique_ptr<TracerProvider> make(Config config = {}) {
    config.service_name = "accounting";
    config.sink = sink_;
    auto made = TracerProvider::create(std::move(config));
    return made ? std::move(*made) : nullptr;
  }
  void expect_exact(const TracerProvider& provider) {
    const Stats stats = provider.stats();
    EXPECT_EQ(stats.started, stats.exported + stats.dropped.total() + stats.open);
    EXPECT_EQ(stats.exported, sink_->received());
  }
  std::shared_ptr<TestSink> sink_ = std::make_shared<TestSink>();
};

inline constexpr int kScale = sdk::kSanitizedThreads ? 1 : 5;

// Nested spans with attributes that overflow now and then, until told to stop.
inline void make_spans(TracerProvider& provider, int count) {
  const std::string big(3'000, 'x');
  for (int i = 0; i < count; ++i) {
    Span outer = span("outer", {.provider = &provider}, {{"i", i}});
    {
      Span inner = span("inner", {{"text", "short"}});
      inner.set("i", i).event("e", {{"a", 1}});
      if (i % 16 == 0) inner.set("big", big);
      set_on_current("last", true);
    }
    outer.set("i", i + 1);
  }
}

}  // namespace alphaswarm::observability::testing
