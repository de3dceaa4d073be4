#include "alphaswarm/collector/receivers/rpc_status.hpp"

#include "alphaswarm/otlp/encode.hpp"
#include "alphaswarm/otlp/json_writer.hpp"

namespace alphaswarm::collector {

int rpc_code(const Error& error) noexcept {
  switch (error.code) {
    case ErrorCode::invalid_argument:
      return 3;
    case ErrorCode::deadline_exceeded:
      return 4;
    case ErrorCode::permission_denied:
      return 7;
    case ErrorCode::unimplemented:
      return 12;
    case ErrorCode::resource_exhausted:
    case ErrorCode::unavailable:
      return 14;
    case ErrorCode::unauthenticated:
      return 16;
    default:
      return 13;
  }
}

int http_status(const Error& error) noexcept {
  switch (rpc_code(error)) {
    case 3:
      return 400;
    case 7:
      return 403;
    case 12:
      return 404;
    case 4:
    case 14:
      return 503;
    case 16:
      return 401;
    default:
      return 500;
  }
}

std::string encode_retry_info(std::chrono::seconds delay) {
  otlp::MessageWriter duration;
  duration.varint(1, static_cast<std::uint64_t>(delay.count()));
  return otlp::MessageWriter().bytes(1, duration.str()).str();
}

std::string encode_rpc_status(const Error& error) {
  otlp::MessageWriter status;
  status.varint(1, static_cast<std::uint64_t>(rpc_code(error))).bytes(2, error.message);
  if (error.retryable) {
    otlp::MessageWriter any;
    any.bytes(1, "type.googleapis.com/google.rpc.RetryInfo")
        .bytes(2, encode_retry_info(kRetryDelay));
    status.bytes(3, any.str());
  }
  return status.str();
}

std::string rpc_status_json(const Error& error) {
  std::string out;
  otlp::JsonWriter json(out);
  json.begin_object().field("code", rpc_code(error)).field("message", error.message);
  json.key("details").begin_array().end_array().end_object();
  return out;
}

std::string encode_response(const Taken& taken) {
  if (taken.rejected == 0) return {};
  otlp::MessageWriter partial;
  partial.varint(1, taken.rejected).bytes(2, taken.message);
  return otlp::MessageWriter().bytes(1, partial.str()).str();
}

std::string response_json(const Taken& taken) {
  if (taken.rejected == 0) return R"({"partialSuccess":{}})";
  std::string out;
  otlp::JsonWriter json(out);
  json.begin_object().key("partialSuccess").begin_object();
  json.key("rejectedSpans").quoted(taken.rejected).field("errorMessage", taken.message);
  json.end_object().end_object();
  return out;
}

}  // namespace alphaswarm::collector
