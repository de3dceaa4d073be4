#pragma once

// The newcomer's door to a tracer provider. Cheap to include: <memory>, <string> and <vector> would
// more than double what tracing.hpp costs. The full door is Config, in provider.hpp.

#include <cstdint>
#include <string_view>
#include <utility>

#include "alphaswarm/observability/api/switch.hpp"

namespace alphaswarm::observability {
inline namespace ALPHASWARM_OTEL_NAMESPACE {

class TracerProvider;

// What most programs need to say; the meaning is that of Config's members.
struct TracingOptions {
  std::string_view service_name = "unknown_service";
  std::string_view endpoint{};  // of an OTLP/gRPC receiver: "http://127.0.0.1:4317"
  double sample_ratio = 1.0;    // in [0, 1]
  bool console = false;         // print the spans to standard error
};

// Keeps the process's tracing alive: its destruction sends what is left and shuts down. False after
// a bad value, which error() names; spans then do nothing, and the program may run on. Built with
// ALPHASWARM_OTEL=OFF it does nothing, and is false only after a bad value in the environment.
class [[nodiscard]] Tracing {
 public:
  explicit Tracing(TracerProvider* owned) noexcept : provider_(owned) {}
  Tracing(Tracing&& other) noexcept
      : provider_(std::exchange(other.provider_, nullptr)),
        error_(std::exchange(other.error_, nullptr)) {}
  Tracing& operator=(Tracing&& other) noexcept {
    std::swap(provider_, other.provider_);
    std::swap(error_, other.error_);
    return *this;
  }
  ~Tracing();
  // Without a provider.
  [[nodiscard]] static Tracing failed(std::string_view why);

  [[nodiscard]] explicit operator bool() const noexcept { return provider_ != nullptr; }
  // One sentence; empty if there is none. Valid as long as this.
  [[nodiscard]] std::string_view error() const noexcept {
    return error_ != nullptr ? std::string_view(error_) : std::string_view();
  }
  // Not after an error. What it can do is in provider.hpp.
  [[nodiscard]] TracerProvider& provider() const noexcept { return *provider_; }
  // As TracerProvider's; false after an error.
  bool force_flush(std::int64_t timeout_ms = 30'000);
  bool shutdown(std::int64_t timeout_ms = 30'000);

 private:
  TracerProvider* provider_;  // owned, as is the next: see the head of the file
  const char* error_ = nullptr;
};

// Makes a provider and installs it as the process default. A receiver that is away is no error.
[[nodiscard]] Tracing configure_tracing(const TracingOptions& options);
// The same by the environment alone: ALPHASWARM_OTEL_* and OTEL_*. Where they ask for nothing to be
// exported, spans are made and go nowhere.
[[nodiscard]] Tracing configure_tracing();

}  // namespace ALPHASWARM_OTEL_NAMESPACE
}  // namespace alphaswarm::observability
