#pragma once

#include <cstdint>
#include <string_view>

namespace alphaswarm::observability {

// What an OTLP request carries: it decides the service and the path it is sent to.
enum class Signal : std::uint8_t { traces, metrics, logs };

// The path of OTLP/HTTP: "/v1/traces" and its like.
[[nodiscard]] constexpr std::string_view http_path(Signal signal) noexcept {
  constexpr std::string_view kPaths[] = {"/v1/traces", "/v1/metrics", "/v1/logs"};
  return kPaths[static_cast<unsigned>(signal)];
}

// The path of the gRPC method.
[[nodiscard]] constexpr std::string_view grpc_path(Signal signal) noexcept {
  constexpr std::string_view kPaths[] = {
      "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
      "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
      "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
  };
  return kPaths[static_cast<unsigned>(signal)];
}

}  // namespace alphaswarm::observability
