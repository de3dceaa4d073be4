#pragma once

// What receivers answer, in both protocols.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "alphaswarm/observability/export/batch_sink.hpp"

namespace alphaswarm::observability {

// An ExportTraceServiceResponse: accepted, with its partial success. Bytes that do not parse count
// as an empty one, for the receiver has said "ok" already.
[[nodiscard]] SinkResult read_export_response(std::string_view body);

// The same in JSON.
[[nodiscard]] SinkResult read_json_export_response(std::string_view body);

struct RpcStatus {
  std::string message;
  std::optional<std::chrono::milliseconds> retry_delay;  // google.rpc.RetryInfo
};
// A google.rpc.Status.
[[nodiscard]] RpcStatus read_rpc_status(std::string_view bytes);

// Whether the same request may be sent again, by the table of the OTLP specification
// (https://opentelemetry.io/docs/specs/otlp/#failures).
[[nodiscard]] bool is_retryable_grpc(int code, bool has_retry_info) noexcept;
[[nodiscard]] bool is_retryable_http(long status) noexcept;

// What a receiver asks for, within an hour: it may ask for anything.
[[nodiscard]] std::chrono::milliseconds bounded_delay(std::int64_t seconds) noexcept;

// Base64 with or without padding (gRPC's "-bin" headers); nullopt if malformed.
[[nodiscard]] std::optional<std::string> decode_base64(std::string_view text);
// "%20" → " " (gRPC's grpc-message).
[[nodiscard]] std::string percent_decode(std::string_view text);

}  // namespace alphaswarm::observability
