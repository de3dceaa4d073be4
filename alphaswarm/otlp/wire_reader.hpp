#pragma once

// Reads protobuf's wire format in place, without generated code.
// Source: protobuf.dev/programming-guides/encoding.

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "alphaswarm/otlp/wire_type.hpp"

namespace alphaswarm::otlp {

static_assert(std::endian::native == std::endian::little, "fixed-width fields are little endian");

struct WireField {
  std::uint32_t number = 0;
  WireType type = WireType::varint;
  std::uint64_t integer = 0;  // varint, fixed64 or fixed32
  std::string_view bytes;     // length: inside the message that is read
};

// Walks the fields of one message. Never reads outside of it, whatever its bytes are.
class WireReader {
 public:
  explicit WireReader(std::string_view message) noexcept
      : at_(message.data()), end_(message.data() + message.size()) {}

  // The next field; false at the end and at malformed bytes: ask failed() which.
  [[nodiscard]] bool next(WireField& field) noexcept {
    if (at_ == end_) return false;
    std::uint64_t tag = 0;
    if (!varint(tag) || tag > UINT32_MAX || (tag >> 3) == 0) return fail();
    field.number = static_cast<std::uint32_t>(tag >> 3);
    switch (tag & 7U) {
      case 0:
        field.type = WireType::varint;
        return varint(field.integer) || fail();
      case 1:
        field.type = WireType::fixed64;
        return fixed<std::uint64_t>(field.integer) || fail();
      case 2: {
        field.type = WireType::length;
        std::uint64_t size = 0;
        if (!varint(size) || size > static_cast<std::uint64_t>(end_ - at_)) return fail();
        field.bytes = {at_, static_cast<std::size_t>(size)};
        at_ += size;
        return true;
      }
      case 5:
        field.type = WireType::fixed32;
        return fixed<std::uint32_t>(field.integer) || fail();
      default:
        return fail();  // groups (3, 4) never occur in OTLP; 6 and 7 do not exist
    }
  }

  [[nodiscard]] bool failed() const noexcept { return failed_; }
  // Where the next field starts; after a failure, where reading stopped.
  [[nodiscard]] const char* position() const noexcept { return at_; }

 private:
  bool fail() noexcept {
    failed_ = true;
    end_ = at_;
    return false;
  }

  bool varint(std::uint64_t& value) noexcept {
    if (at_ != end_ && static_cast<unsigned char>(*at_) < 0x80) {  // the usual case: one byte
      value = static_cast<unsigned char>(*at_++);
      return true;
    }
    std::uint64_t result = 0;
    for (unsigned shift = 0; shift < 64 && at_ != end_; shift += 7) {
      const auto byte = static_cast<unsigned char>(*at_++);
      if (shift == 63 && byte > 1) return false;  // more than 64 bits
      result |= static_cast<std::uint64_t>(byte & 0x7fU) << shift;
      if (byte < 0x80) {
        value = result;
        return true;
      }
    }
    return false;
  }

  template <class T>
  bool fixed(std::uint64_t& value) noexcept {
    if (static_cast<std::size_t>(end_ - at_) < sizeof(T)) return false;
    T little{};
    std::memcpy(&little, at_, sizeof(T));
    at_ += sizeof(T);
    value = little;
    return true;
  }

  const char* at_;
  const char* end_;
  bool failed_ = false;
};

}  // namespace alphaswarm::otlp
