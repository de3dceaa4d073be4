#include "alphaswarm/observability/export/otlp_response.hpp"

#include <algorithm>
#include <charconv>

#include "alphaswarm/otlp/wire_reader.hpp"

namespace alphaswarm::observability {
namespace {

using otlp::WireField;
using otlp::WireReader;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// google.protobuf.Duration, not negative and at most an hour.
std::chrono::milliseconds read_duration(std::string_view bytes) {
  WireReader reader(bytes);
  std::int64_t seconds = 0;
  std::int64_t nanos = 0;
  for (WireField field; reader.next(field);) {
    if (field.number == 1) seconds = static_cast<std::int64_t>(field.integer);
    if (field.number == 2) nanos = static_cast<std::int64_t>(field.integer);
  }
  nanos = std::clamp<std::int64_t>(nanos, 0, 999'999'999);
  return bounded_delay(seconds) + std::chrono::milliseconds(nanos / 1'000'000);
}

}  // namespace

std::chrono::milliseconds bounded_delay(std::int64_t seconds) noexcept {
  return std::chrono::seconds(std::clamp<std::int64_t>(seconds, 0, 3'600));
}

SinkResult read_export_response(std::string_view body) {
  SinkResult result;
  WireReader reader(body);
  for (WireField field; reader.next(field);) {
    if (field.number != 1) continue;  // partial_success
    WireReader partial(field.bytes);
    for (WireField inner; partial.next(inner);) {
      if (inner.number == 1) {
        const auto count = static_cast<std::int64_t>(inner.integer);
        result.rejected_spans =
            static_cast<std::uint32_t>(std::clamp<std::int64_t>(count, 0, UINT32_MAX));
      }
      if (inner.number == 2) result.message = inner.bytes;
    }
  }
  return result;
}

// No parser for three fields of a reply: "rejectedSpans" is a number, in quotes or not, and
// "errorMessage" a text whose escapes stay as they are.
SinkResult read_json_export_response(std::string_view body) {
  SinkResult result;
  const auto value_of = [&](std::string_view key) {
    const std::size_t at = body.find(key);
    if (at == std::string_view::npos) return std::string_view();
    std::string_view rest = body.substr(at + key.size());
    const std::size_t start = rest.find_first_not_of(" \t\r\n:");
    return start == std::string_view::npos ? std::string_view() : rest.substr(start);
  };
  std::string_view count = value_of("\"rejectedSpans\"");
  if (count.starts_with('"')) count.remove_prefix(1);
  std::from_chars(count.data(), count.data() + count.size(), result.rejected_spans);
  std::string_view message = value_of("\"errorMessage\"");
  if (message.starts_with('"')) result.message = message.substr(1, message.find('"', 1) - 1);
  return result;
}

RpcStatus read_rpc_status(std::string_view bytes) {
  RpcStatus status;
  WireReader reader(bytes);
  for (WireField field; reader.next(field);) {
    if (field.number == 2) status.message = field.bytes;
    if (field.number != 3) continue;  // details: google.protobuf.Any
    std::string_view type;
    std::string_view value;
    WireReader any(field.bytes);
    for (WireField inner; any.next(inner);) {
      if (inner.number == 1) type = inner.bytes;
      if (inner.number == 2) value = inner.bytes;
    }
    if (!type.ends_with("google.rpc.RetryInfo")) continue;
    status.retry_delay = std::chrono::milliseconds(0);
    WireReader retry(value);
    for (WireField inner; retry.next(inner);) {
      if (inner.number == 1) status.retry_delay = read_duration(inner.bytes);
    }
  }
  return status;
}

bool is_retryable_grpc(int code, bool has_retry_info) noexcept {
  switch (code) {
    case 1:   // CANCELLED
    case 4:   // DEADLINE_EXCEEDED
    case 10:  // ABORTED
    case 11:  // OUT_OF_RANGE
    case 14:  // UNAVAILABLE
    case 15:  // DATA_LOSS
      return true;
    case 8:  // RESOURCE_EXHAUSTED: only if the server says when
      return has_retry_info;
    default:
      return false;
  }
}

bool is_retryable_http(long status) noexcept {
  return status == 429 || status == 502 || status == 503 || status == 504;
}

std::optional<std::string> decode_base64(std::string_view text) {
  while (text.ends_with('=')) text.remove_suffix(1);
  std::string out;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    int value = -1;
    if (c >= 'A' && c <= 'Z') value = c - 'A';
    if (c >= 'a' && c <= 'z') value = c - 'a' + 26;
    if (c >= '0' && c <= '9') value = c - '0' + 52;
    if (c == '+' || c == '-') value = 62;
    if (c == '/' || c == '_') value = 63;
    if (value < 0) return std::nullopt;
    bits = bits << 6U | static_cast<std::uint32_t>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      out += static_cast<char>(bits >> static_cast<unsigned>(count) & 0xffU);
    }
  }
  return out;
}

std::string percent_decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 &&
        hex_digit(text[i + 2]) >= 0) {
      out += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

}  // namespace alphaswarm::observability
