#pragma once

// Text on its way into protobuf: one invalid byte makes a reader refuse the whole request, so
// every string is checked and repaired.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace alphaswarm::observability::sdk {

[[nodiscard]] inline bool is_ascii(std::string_view text) noexcept {
  constexpr std::uint64_t kHighBits = 0x8080808080808080U;
  const char* at = text.data();
  std::size_t left = text.size();
  std::uint64_t seen = 0;
  if (left >= 8) {
    for (; left > 8; at += 8, left -= 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, at, 8);
      seen |= word;
    }
    std::uint64_t word = 0;  // the last eight, overlapping the former
    std::memcpy(&word, at + left - 8, 8);
    return ((seen | word) & kHighBits) == 0;
  }
  for (; left > 0; --left) seen |= static_cast<unsigned char>(*at++);
  return (seen & 0x80U) == 0;
}

// The size of `text` after repair and truncation to `limit` bytes at a code point.
[[nodiscard]] std::size_t repaired_size(std::string_view text, std::size_t limit) noexcept;

// Writes exactly repaired_size() bytes: each maximal invalid part becomes U+FFFD (the practice
// recommended by the Unicode Standard, chapter 3.9). Returns the new end.
char* write_repaired(char* out, std::string_view text, std::size_t limit) noexcept;

}  // namespace alphaswarm::observability::sdk
