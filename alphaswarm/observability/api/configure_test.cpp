#include "alphaswarm/observability/api/configure.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "alphaswarm/observability/api/provider.hpp"
#include "alphaswarm/observability/tracing.hpp"

#if ALPHASWARM_OTEL

namespace alphaswarm::observability {
namespace {

TEST(Configure, MakesTheDefaultProviderUntilItIsDestroyed) {
  {
    Tracing tracing = configure_tracing({.service_name = "hello"});
    ASSERT_TRUE(tracing);
    EXPECT_EQ(tracing.error(), "");
    EXPECT_EQ(tracing.provider().service_name(), "hello");
    EXPECT_TRUE(span("work").recording());
    EXPECT_TRUE(tracing.force_flush());
    EXPECT_EQ(tracing.provider().stats().exported, 1U);
  }
  EXPECT_FALSE(span("work").recording());
}

TEST(Configure, ABadValueIsNamedAndSpansDoNothing) {
  Tracing tracing = configure_tracing({.sample_ratio = 2.0});
  EXPECT_FALSE(tracing);
  EXPECT_NE(tracing.error().find("sample_ratio"), std::string::npos) << tracing.error();
  EXPECT_FALSE(tracing.force_flush());
  EXPECT_FALSE(span("work").recording());
  Tracing moved = std::move(tracing);
  EXPECT_NE(moved.error(), "");
  EXPECT_EQ(tracing.error(), "");
}

TEST(Configure, ReadsTheEnvironment) {
  ::setenv("OTEL_SERVICE_NAME", "desk", 1);
  ::setenv("OTEL_TRACES_EXPORTER", "none", 1);
  {
    const Tracing tracing = configure_tracing();
    ASSERT_TRUE(tracing) << tracing.error();
    EXPECT_EQ(tracing.provider().service_name(), "desk");
  }
  ::setenv("OTEL_TRACES_SAMPLER", "sometimes", 1);
  const Tracing refused = configure_tracing();
  EXPECT_FALSE(refused);
  EXPECT_NE(refused.error().find("OTEL_TRACES_SAMPLER"), std::string::npos) << refused.error();
  for (const char* name : {"OTEL_SERVICE_NAME", "OTEL_TRACES_EXPORTER", "OTEL_TRACES_SAMPLER"}) {
    ::unsetenv(name);
  }
}

}  // namespace
}  // namespace alphaswarm::observability

#endif
