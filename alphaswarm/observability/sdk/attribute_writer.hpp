#pragma once

// One attribute as the protobuf message KeyValue. Sizes are found first, then written without a
// further check: both walk the value the same way.

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "alphaswarm/observability/api/attribute.hpp"
#include "alphaswarm/observability/sdk/utf8.hpp"
#include "alphaswarm/otlp/encode.hpp"

namespace alphaswarm::observability::sdk {

// Text as it will be written: repaired and cut where it must be.
struct Text {
  Text(std::string_view given, std::size_t byte_limit) noexcept
      : text(given),
        limit(byte_limit),
        plain(given.size() <= byte_limit && is_ascii(given)),
        size(plain ? given.size() : repaired_size(given, byte_limit)) {}

  std::string_view text;
  std::size_t limit;
  bool plain;
  std::size_t size;
};

// Short copies without a call.
inline char* put_short(char* out, const char* from, std::size_t size) noexcept {
  if (size >= 8) {
    if (size > 32) return static_cast<char*>(std::memcpy(out, from, size)) + size;
    std::size_t at = 0;
    for (; at + 8 < size; at += 8) std::memcpy(out + at, from + at, 8);
    std::memcpy(out + size - 8, from + size - 8, 8);
  } else if (size >= 4) {
    std::memcpy(out, from, 4);
    std::memcpy(out + size - 4, from + size - 4, 4);
  } else if (size != 0) {
    out[0] = from[0];
    out[size / 2] = from[size / 2];
    out[size - 1] = from[size - 1];
  }
  return out + size;
}

inline char* put_text(char* out, const Text& text) noexcept {
  if (text.plain) [[likely]] {
    return put_short(out, text.text.data(), text.size);
  }
  return write_repaired(out, text.text, text.limit);
}

// Field numbers of opentelemetry/proto/common/v1/common.proto, AnyValue.
enum AnyField : std::uint32_t {
  kText = 1,
  kBool = 2,
  kInt = 3,
  kDouble = 4,
  kArray = 5,
  kBytes = 7
};

[[nodiscard]] std::size_t array_value_size(const AttributeValue& value, std::size_t limit) noexcept;
char* put_array_value(char* out, const AttributeValue& value, std::size_t limit) noexcept;

// A value whose size is known: construct, then put().
class ValueWriter {
 public:
  ValueWriter(const AttributeValue& value, std::size_t limit) noexcept
      : value_(value), text_({}, limit), limit_(limit) {
    using Type = AttributeValue::Type;
    switch (value.type()) {
      case Type::boolean:
        size_ = 2;
        break;
      case Type::integer:
        size_ = 1 + otlp::varint_size(static_cast<std::uint64_t>(value.integer()));
        break;
      case Type::number:
        size_ = 9;
        break;
      case Type::text:
        text_ = Text(value.text(), limit);
        size_ = 1 + otlp::varint_size(text_.size) + text_.size;
        break;
      case Type::bytes: {
        const std::size_t size = std::min(value.text().size(), limit);
        size_ = 1 + otlp::varint_size(size) + size;
        break;
      }
      default:
        size_ = array_value_size(value, limit);
    }
  }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  char* put(char* out) const noexcept {
    using otlp::tag;
    using otlp::WireType;
    using Type = AttributeValue::Type;
    switch (value_.type()) {
      case Type::boolean:
        *out++ = static_cast<char>(tag(kBool, WireType::varint));
        *out++ = value_.boolean() ? 1 : 0;
        return out;
      case Type::integer:
        *out++ = static_cast<char>(tag(kInt, WireType::varint));
        return otlp::put_varint(out, static_cast<std::uint64_t>(value_.integer()));
      case Type::number:
        *out++ = static_cast<char>(tag(kDouble, WireType::fixed64));
        return otlp::put_fixed64(out, std::bit_cast<std::uint64_t>(value_.number()));
      case Type::text:
        *out++ = static_cast<char>(tag(kText, WireType::length));
        return put_text(otlp::put_varint(out, text_.size), text_);
      case Type::bytes: {
        const std::string_view bytes = value_.text().substr(0, limit_);
        *out++ = static_cast<char>(tag(kBytes, WireType::length));
        return otlp::put_bytes(otlp::put_varint(out, bytes.size()), bytes);
      }
      default:
        return put_array_value(out, value_, limit_);
    }
  }

 private:
  const AttributeValue& value_;
  Text text_;
  std::size_t limit_;
  std::size_t size_ = 0;
};

// Keys are bounded apart from values, so that no setting makes two keys one.
inline constexpr std::size_t kMaxKeyBytes = 1024;

// KeyValue as a field of its parent message.
class PairWriter {
 public:
  PairWriter(std::uint32_t field, std::string_view key, const AttributeValue& value,
             std::size_t limit) noexcept
      : field_(field),
        key_(key, kMaxKeyBytes),
        value_(value, limit),
        pair_size_(1 + otlp::varint_size(key_.size) + key_.size + 1 +
                   otlp::varint_size(value_.size()) + value_.size()) {}
  [[nodiscard]] std::size_t size() const noexcept {
    return 1 + otlp::varint_size(pair_size_) + pair_size_;
  }
  char* put(char* out) const noexcept {
    using otlp::tag;
    using otlp::WireType;
    *out++ = static_cast<char>(tag(field_, WireType::length));
    out = otlp::put_varint(out, pair_size_);
    *out++ = static_cast<char>(tag(1, WireType::length));
    out = put_text(otlp::put_varint(out, key_.size), key_);
    *out++ = static_cast<char>(tag(2, WireType::length));
    return value_.put(otlp::put_varint(out, value_.size()));
  }

 private:
  std::uint32_t field_;  // below 16: its tag is one byte
  Text key_;
  ValueWriter value_;
  std::size_t pair_size_;
};

}  // namespace alphaswarm::observability::sdk
