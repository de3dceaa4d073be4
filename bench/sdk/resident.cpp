// The resident memory of a plain program, in KiB; compiled twice, without the SDK and with it.

#include <cstdio>
#include <cstring>

#if BENCH_WITH_SDK
#include "alphaswarm/observability/tracing.hpp"
#endif

int main(int argc, char** argv) {
#if BENCH_WITH_SDK
  namespace otel = alphaswarm::observability;
  auto tracing = otel::configure_tracing(
      {.service_name = "plain", .endpoint = argc > 1 ? argv[1] : "http://127.0.0.1:4317"});
  if (!tracing) return 1;
  for (int i = 0; i < 100; ++i) otel::span("work", {{"i", i}}).end();
  static_cast<void>(tracing.force_flush(2'000));
#else
  static_cast<void>(argc);
  static_cast<void>(argv);
#endif
  std::FILE* file = std::fopen("/proc/self/status", "r");
  char line[256];
  long kib = 0;
  while (file != nullptr && std::fgets(line, sizeof line, file) != nullptr) {
    if (std::strncmp(line, "VmRSS:", 6) == 0) std::sscanf(line + 6, "%ld", &kib);
  }
  if (file != nullptr) std::fclose(file);
  std::printf("%ld\n", kib);
  return 0;
}
