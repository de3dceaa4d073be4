// Spans in one's own tests: see "Tests" in observability.md.

#include <alphaswarm/observability/api/provider.hpp>
#include <alphaswarm/observability/export/memory.hpp>
#include <alphaswarm/observability/tracing.hpp>
#include <cstdio>
#include <memory>

namespace otel = alphaswarm::observability;

namespace {

void submit_order() {
  auto order = otel::span("order");
  auto check = otel::span("check risk");
}

#define EXPECT_EQ(a, b) \
  if ((a) != (b)) std::printf("failed: %s\n", #a), failures = 1
int failures = 0;

// [test]
void test_submit_order() {
  const auto memory = std::make_shared<otel::MemorySink>();
  auto tracing = otel::configure_tracing(otel::Config{.service_name = "test", .sink = memory});
  submit_order();
  tracing.force_flush();
  EXPECT_EQ(memory->tree(), "order\n  check risk\n");
}
// [/test]

}  // namespace

int main() {
#if ALPHASWARM_OTEL
  test_submit_order();
#endif
  if (failures == 0) std::puts("passed");
  return failures;
}
