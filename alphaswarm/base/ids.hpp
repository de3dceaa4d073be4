#pragma once

// Trace and span ids as OpenTelemetry and W3C trace context define them, and UUIDs for rows. Cheap
// to include, as every traced file does: <string> is left to those who call to_hex().

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string_view>

namespace alphaswarm {

// 16 bytes, all zero is invalid. Kept as the bytes that go on the wire (big endian in hex).
struct TraceId {
  std::array<std::uint8_t, 16> bytes{};

  [[nodiscard]] bool is_valid() const noexcept { return *this != TraceId{}; }
  friend auto operator<=>(const TraceId&, const TraceId&) = default;

  // Random, never all zero; all 128 bits are random (W3C random flag may be set).
  [[nodiscard]] static TraceId random() noexcept;
  // 1 to 32 hex digits, missing leading zeros allowed (Jaeger writes them so); nullopt otherwise.
  [[nodiscard]] static std::optional<TraceId> from_hex(std::string_view hex) noexcept;
  [[nodiscard]] std::string to_hex() const;  // always 32 lower-case digits
};

// 8 bytes, all zero is invalid.
struct SpanId {
  std::array<std::uint8_t, 8> bytes{};

  [[nodiscard]] bool is_valid() const noexcept { return *this != SpanId{}; }
  friend auto operator<=>(const SpanId&, const SpanId&) = default;

  [[nodiscard]] static SpanId random() noexcept;
  [[nodiscard]] static std::optional<SpanId> from_hex(std::string_view hex) noexcept;
  [[nodiscard]] std::string to_hex() const;  // always 16 lower-case digits
};

// A random (version 4) UUID, e.g. "2f1e8d1c-6c1b-4c52-9d0e-8f0b6a3a7d55".
[[nodiscard]] std::string random_uuid();

namespace detail {
void write_hex(const std::uint8_t* bytes, std::size_t count, char* out) noexcept;
}

}  // namespace alphaswarm

template <>
struct std::hash<alphaswarm::TraceId> {
  std::size_t operator()(const alphaswarm::TraceId& id) const noexcept {
    std::uint64_t low = 0;  // the low half is random for every common generator
    __builtin_memcpy(&low, id.bytes.data() + 8, 8);
    return static_cast<std::size_t>(low * 0x9e3779b97f4a7c15U);
  }
};

template <>
struct std::hash<alphaswarm::SpanId> {
  std::size_t operator()(const alphaswarm::SpanId& id) const noexcept {
    std::uint64_t value = 0;
    __builtin_memcpy(&value, id.bytes.data(), 8);
    return static_cast<std::size_t>(value * 0x9e3779b97f4a7c15U);
  }
};
