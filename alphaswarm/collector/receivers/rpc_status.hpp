#pragma once

// How OTLP reports errors: google.rpc.Status, in protobuf or JSON, and gRPC's numbers.

#include <chrono>
#include <cstdint>
#include <string>

#include "alphaswarm/base/error.hpp"
#include "alphaswarm/collector/intake.hpp"

namespace alphaswarm::collector {

// What a refused sender is told to wait. Short of any exporter's usual time-out.
inline constexpr std::chrono::seconds kRetryDelay{1};

// A code of google.rpc.Code. What a sender should try again is 14 (unavailable): that one all of
// them retry, 8 (resource exhausted) only some.
[[nodiscard]] int rpc_code(const Error& error) noexcept;
[[nodiscard]] int http_status(const Error& error) noexcept;

// google.rpc.RetryInfo {retry_delay}.
[[nodiscard]] std::string encode_retry_info(std::chrono::seconds delay);
// google.rpc.Status {code, message, details}; retryable ones carry a RetryInfo.
[[nodiscard]] std::string encode_rpc_status(const Error& error);
[[nodiscard]] std::string rpc_status_json(const Error& error);

// ExportTraceServiceResponse; empty when all was accepted.
[[nodiscard]] std::string encode_response(const Taken& taken);
[[nodiscard]] std::string response_json(const Taken& taken);

}  // namespace alphaswarm::collector
