// [program]
#include <alphaswarm/observability/tracing.hpp>

namespace otel = alphaswarm::observability;

int main() {
  auto tracing =
      otel::configure_tracing({.service_name = "hello", .endpoint = "http://127.0.0.1:4317"});
  if (!tracing) return 1;  // a bad value; a receiver that is away is no error
  auto order = otel::span("submit_order", {{"order.side", "buy"}, {"order.quantity", 57}});
  const auto check = otel::traced("risk.check", [](int quantity) { return quantity < 100; });
  order.set("risk.accepted", check(57));
}  // the spans are sent before main returns
// [/program]
