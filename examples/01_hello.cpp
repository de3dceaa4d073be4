// Two lines make a program traced: configure_tracing once, span where something happens.
//   ./example_01_hello                          prints its span
//   ./example_01_hello http://127.0.0.1:4317    sends it to a collector

#include <cstdio>
#include <string>

#include "alphaswarm/observability/tracing.hpp"

namespace otel = alphaswarm::observability;

int main(int argc, char** argv) {
  const std::string endpoint = argc > 1 ? argv[1] : "";
  const auto tracing = otel::configure_tracing(
      {.service_name = "hello", .endpoint = endpoint, .console = endpoint.empty()});
  if (!tracing) {
    std::fprintf(stderr, "%s\n", std::string(tracing.error()).c_str());
    return 1;
  }
  auto span = otel::span("greet", {{"greeted", "world"}, {"times", 1}});
  std::puts("Hello, world!");
  span.event("greeted");
  span.end();
  return 0;
}  // what is left of `tracing` sends everything before the program ends
