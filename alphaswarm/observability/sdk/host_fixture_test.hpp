#pragma once

// What the tests of what spans may do to their host share.

#include <gtest/gtest.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>

#include "alphaswarm/observability/api/prepared_attributes.hpp"
#include "alphaswarm/observability/api/provider.hpp"
#include "alphaswarm/observability/export/memory.hpp"
#include "alphaswarm/observability/tracing.hpp"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

namespace alphaswarm::observability::testing {

// Stops in send() until let go.
class BlockedSink final : public BatchSink {
 public:
  SinkResult send(const Batch&, std::chrono::milliseconds) override {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return open_; });
    return {};
  }
  void open() {
    const std::scoped_lock lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
};

inline std::unique_ptr<TracerProvider> make_default(Config config) {
  auto made = TracerProvider::create(std::move(config));
  if (!made) return nullptr;
  (*made)->install_as_default();
  return std::move(*made);
}

// Everything a span can do, with values that overflow its slot now and then.
inline void use_spans(int count, const std::string& big) {
  static const PreparedAttributes kCommon({{"venue", "sim"}, {"port", 8100}});
  for (int i = 0; i < count; ++i) {
    Span outer = span("outer", {{"i", i}, {"symbol", "AAPL"}});
    Span inner = span("inner", {.kind = SpanKind::client}, {{"price", 1.5}, {"ok", true}});
    inner.event("filled", {{"quantity", i}}).link(outer.context(), {{"why", "test"}});
    inner.set("symbol", "MSFT").set("symbol", "longer than before").update_name("renamed");
    if (i % 8 == 0) inner.set("big", big);
    outer.set(kCommon).set("symbol", i);
    if (i % 3 == 0) inner.error("refused").record_exception("Type", "message");
    set_on_current("last", i);
    inner.end();
    outer.suspend();
  }
}

inline void expect_exact(TracerProvider& provider) {
  const Stats stats = provider.stats();
  EXPECT_EQ(stats.started, stats.exported + stats.dropped.total() + stats.open);
}

}  // namespace alphaswarm::observability::testing
