// Spans in your own tests: MemorySink keeps them, decoded.

#include <cstdio>
#include <memory>
#include <stdexcept>

#include "alphaswarm/observability/api/provider.hpp"
#include "alphaswarm/observability/export/memory.hpp"
#include "alphaswarm/observability/tracing.hpp"

namespace otel = alphaswarm::observability;

int main() {
  const auto memory = std::make_shared<otel::MemorySink>();
  // A provider of the test's own; nothing global is touched.
  auto provider = otel::TracerProvider::create({.service_name = "test", .sink = memory});
  if (!provider) return 1;
  {
    auto span = otel::span("load", {.provider = provider->get()});
    try {
      throw std::runtime_error("no such file");
    } catch (const std::exception& error) {
      span.record_exception(error);
    }
  }
  (*provider)->force_flush();
  const auto span = memory->find("load");
  std::printf("%zu span, status %s, exception \"%s\"\n", memory->spans().size(),
              span.status == otel::StatusCode::error ? "error" : "not error",
              span.events.empty() ? "" : span.events[0].attributes.at("exception.message").c_str());
  return 0;
}
