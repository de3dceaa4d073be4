#pragma once

// Writing protobuf: raw writers for the hot path, and a string-building one for the rest.
// The caller of a raw writer provides the room; each returns the new end.
// Source of the format: https://protobuf.dev/programming-guides/encoding/

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "alphaswarm/otlp/wire_type.hpp"

namespace alphaswarm::otlp {

inline constexpr std::size_t kMaxVarintBytes = 10;

[[nodiscard]] constexpr std::uint32_t tag(std::uint32_t field, WireType type) noexcept {
  return field << 3 | static_cast<std::uint32_t>(type);
}

[[nodiscard]] constexpr std::size_t varint_size(std::uint64_t value) noexcept {
  return (static_cast<std::size_t>(std::bit_width(value | 1)) + 6) / 7;
}

inline char* put_varint(char* out, std::uint64_t value) noexcept {
  while (value >= 0x80) {
    *out++ = static_cast<char>(value | 0x80);
    value >>= 7;
  }
  *out++ = static_cast<char>(value);
  return out;
}

inline char* put_fixed64(char* out, std::uint64_t value) noexcept {
  static_assert(std::endian::native == std::endian::little);
  std::memcpy(out, &value, 8);
  return out + 8;
}

inline char* put_fixed32(char* out, std::uint32_t value) noexcept {
  std::memcpy(out, &value, 4);
  return out + 4;
}

inline char* put_bytes(char* out, std::string_view bytes) noexcept {
  if (!bytes.empty()) std::memcpy(out, bytes.data(), bytes.size());
  return out + bytes.size();
}

// Appends fields to a string it owns. Nested messages are written as bytes of their own.
class MessageWriter {
 public:
  MessageWriter& varint(std::uint32_t field, std::uint64_t value) {
    append_varint(tag(field, WireType::varint));
    append_varint(value);
    return *this;
  }
  MessageWriter& fixed64(std::uint32_t field, std::uint64_t value) {
    append_varint(tag(field, WireType::fixed64));
    char room[8];
    bytes_.append(room, put_fixed64(room, value));
    return *this;
  }
  MessageWriter& fixed32(std::uint32_t field, std::uint32_t value) {
    append_varint(tag(field, WireType::fixed32));
    char room[4];
    bytes_.append(room, put_fixed32(room, value));
    return *this;
  }
  MessageWriter& number(std::uint32_t field, double value) {
    return fixed64(field, std::bit_cast<std::uint64_t>(value));
  }
  // A string, bytes or a nested message.
  MessageWriter& bytes(std::uint32_t field, std::string_view value) {
    append_varint(tag(field, WireType::length));
    append_varint(value.size());
    bytes_ += value;
    return *this;
  }
  [[nodiscard]] const std::string& str() const noexcept { return bytes_; }

 private:
  void append_varint(std::uint64_t value) {
    char room[kMaxVarintBytes];
    bytes_.append(room, put_varint(room, value));
  }
  std::string bytes_;
};

// KeyValue{key, AnyValue{string_value}} (opentelemetry/proto/common/v1/common.proto).
[[nodiscard]] inline std::string string_key_value(std::string_view key, std::string_view value) {
  MessageWriter any;
  any.bytes(1, value);
  MessageWriter pair;
  pair.bytes(1, key).bytes(2, any.str());
  return pair.str();
}

[[nodiscard]] inline std::string integer_key_value(std::string_view key, std::int64_t value) {
  MessageWriter any;
  any.varint(3, static_cast<std::uint64_t>(value));
  MessageWriter pair;
  pair.bytes(1, key).bytes(2, any.str());
  return pair.str();
}

}  // namespace alphaswarm::otlp
