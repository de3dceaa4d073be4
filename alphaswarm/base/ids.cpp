#include "alphaswarm/base/ids.hpp"

#include <cstring>
#include <string>

#include "alphaswarm/base/random.hpp"

namespace alphaswarm {
namespace {

int nibble(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

template <std::size_t N>
bool read_hex(std::string_view hex, std::array<std::uint8_t, N>& out) noexcept {
  if (hex.empty() || hex.size() > 2 * N) return false;
  std::size_t digit = 2 * N - hex.size();
  for (const char c : hex) {
    const int value = nibble(c);
    if (value < 0) return false;
    std::uint8_t& byte = out[digit / 2];
    byte = static_cast<std::uint8_t>(digit % 2 == 0 ? value << 4 : byte | value);
    ++digit;
  }
  return true;
}

template <class Id>
std::optional<Id> id_from_hex(std::string_view hex) noexcept {
  Id id;
  if (!read_hex(hex, id.bytes)) return std::nullopt;
  return id;
}

template <class Id>
Id random_id() noexcept {
  Id id;
  Random& random = thread_random();
  do {
    for (std::size_t i = 0; i < id.bytes.size(); i += 8) {
      const std::uint64_t word = random.next();
      std::memcpy(id.bytes.data() + i, &word, 8);
    }
  } while (!id.is_valid());
  return id;
}

template <class Id>
std::string id_to_hex(const Id& id) {
  std::string text(id.bytes.size() * 2, '0');
  detail::write_hex(id.bytes.data(), id.bytes.size(), text.data());
  return text;
}

}  // namespace

namespace detail {
namespace {

using Nibbles = std::uint8_t __attribute__((vector_size(16)));

Nibbles digits(Nibbles nibbles) noexcept {
  const auto letters = reinterpret_cast<Nibbles>(nibbles > 9);
  return nibbles + '0' + (letters & static_cast<std::uint8_t>('a' - '0' - 10));
}

}  // namespace

void write_hex(const std::uint8_t* bytes, std::size_t count, char* out) noexcept {
  for (; count >= 8; count -= 8, bytes += 8, out += 16) {
    Nibbles both{};
    std::memcpy(&both, bytes, 8);
    const Nibbles high = digits(both >> 4U);
    const Nibbles low = digits(both & 15U);
    const Nibbles text =
        __builtin_shufflevector(high, low, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    std::memcpy(out, &text, sizeof text);
  }
  for (; count > 0; --count, ++bytes, out += 2) {
    out[0] = "0123456789abcdef"[*bytes >> 4U];
    out[1] = "0123456789abcdef"[*bytes & 15U];
  }
}

}  // namespace detail

TraceId TraceId::random() noexcept { return random_id<TraceId>(); }
SpanId SpanId::random() noexcept { return random_id<SpanId>(); }
std::optional<TraceId> TraceId::from_hex(std::string_view hex) noexcept {
  return id_from_hex<TraceId>(hex);
}
std::optional<SpanId> SpanId::from_hex(std::string_view hex) noexcept {
  return id_from_hex<SpanId>(hex);
}
std::string TraceId::to_hex() const { return id_to_hex(*this); }
std::string SpanId::to_hex() const { return id_to_hex(*this); }

std::string random_uuid() {
  TraceId id = TraceId::random();
  id.bytes[6] = static_cast<std::uint8_t>((id.bytes[6] & 0x0f) | 0x40);  // RFC 9562: version 4
  id.bytes[8] = static_cast<std::uint8_t>((id.bytes[8] & 0x3f) | 0x80);  // and its variant
  const std::string hex = id.to_hex();
  return hex.substr(0, 8) + '-' + hex.substr(8, 4) + '-' + hex.substr(12, 4) + '-' +
         hex.substr(16, 4) + '-' + hex.substr(20);
}

}  // namespace alphaswarm
