// traced(name, function) makes a function that runs in a span of its own: same arguments, same
// result, exceptions recorded and passed on.

#include <cstdio>
#include <memory>

#include "alphaswarm/observability/api/provider.hpp"
#include "alphaswarm/observability/export/memory.hpp"
#include "alphaswarm/observability/tracing.hpp"

namespace otel = alphaswarm::observability;

namespace {

bool check_risk(int shares) { return shares <= 100; }

const auto kCheckRisk = otel::traced("check risk", check_risk);
const auto kSubmit = otel::traced(
    "submit", [](int shares) { return shares; },
    [](otel::Span& span, int shares) { span.set("order.quantity", shares); });
const auto kOrder =
    otel::traced("order", [](int shares) { return kCheckRisk(shares) ? kSubmit(shares) : 0; });

}  // namespace

int main() {
  const auto memory = std::make_shared<otel::MemorySink>();
  auto tracing = otel::configure_tracing(otel::Config{.service_name = "desk", .sink = memory});
  if (!tracing || kOrder(10) != 10) return 1;
  tracing.force_flush();
  std::fputs(memory->tree().c_str(), stdout);
  return 0;
}
