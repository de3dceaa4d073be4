// Sample little, and still see what goes wrong: the flight recorder keeps what is not sampled, and
// exports a trace once one of its spans fails, is slow or asks for it.

#include <cstdio>
#include <memory>

#include "alphaswarm/observability/api/provider.hpp"
#include "alphaswarm/observability/export/memory.hpp"
#include "alphaswarm/observability/tracing.hpp"

namespace otel = alphaswarm::observability;

namespace {

void order(int shares) {
  const auto span = otel::span("order");
  {
    const auto check = otel::span("check risk");
  }
  auto send = otel::span("send");
  if (shares > 100) send.error("refused");
}

}  // namespace

int main() {
  const auto memory = std::make_shared<otel::MemorySink>();
  auto tracing = otel::configure_tracing(otel::Config{.service_name = "desk",
                                                      .sink = memory,
                                                      .sample_ratio = 0.0,
                                                      .flight_recorder_bytes = 1'000'000});
  if (!tracing) return 1;
  for (int shares = 1; shares <= 101; ++shares) order(shares);  // the last one fails
  tracing.force_flush();
  std::fputs(memory->tree().c_str(), stdout);
  return 0;
}
