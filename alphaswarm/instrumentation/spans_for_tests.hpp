#pragma once

// What the tests of this module share: a provider that keeps its spans.

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "alphaswarm/instrumentation/http_server.hpp"
#include "alphaswarm/observability/api/provider.hpp"
#include "alphaswarm/observability/export/memory.hpp"
#include "alphaswarm/observability/tracing.hpp"

namespace alphaswarm::instrumentation {

// As the first request of a connection.
inline net::ObserverToken start(TracingHttpServerObserver& observer,
                                const net::HttpRequest& first) {
  std::shared_ptr<void> notes;
  return observer.started(first, notes);
}

class SpanKeeper {
 public:
  explicit SpanKeeper(
      std::string service = "test", double sample_ratio = 1.0,
      std::vector<observability::Propagator> propagators = observability::Config().propagators) {
    observability::Config config;
    config.propagators = std::move(propagators);
    config.service_name = std::move(service);
    config.sink = sink_;
    config.sample_ratio = sample_ratio;
    config.on_full_wait = true;
    auto made = observability::TracerProvider::create(std::move(config));
    EXPECT_TRUE(made) << made.error().message;
    provider_ = std::move(*made);
  }

  [[nodiscard]] observability::TracerProvider* provider() { return provider_.get(); }
  [[nodiscard]] std::vector<observability::FinishedSpan> spans() {
    EXPECT_TRUE(provider_->force_flush());
    return sink_->spans();
  }
  // The only span there is.
  [[nodiscard]] observability::FinishedSpan only() {
    auto all = spans();
    EXPECT_EQ(all.size(), 1U);
    return all.empty() ? observability::FinishedSpan() : all.front();
  }
  [[nodiscard]] observability::FinishedSpan find(std::string_view name) {
    EXPECT_TRUE(provider_->force_flush());
    return sink_->find(name);
  }

 private:
  std::shared_ptr<observability::MemorySink> sink_ = std::make_shared<observability::MemorySink>();
  std::unique_ptr<observability::TracerProvider> provider_;
};

}  // namespace alphaswarm::instrumentation
