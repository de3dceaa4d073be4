#include "alphaswarm/observability/sdk/utf8.hpp"

namespace alphaswarm::observability::sdk {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

struct CodePoint {
  std::size_t size;  // bytes consumed, at least 1
  bool valid;
};

// Reads one code point, or the maximal invalid part, by table 3-7 of the Unicode Standard.
CodePoint read(std::string_view text) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {1, true};
  if (lead < 0xC2 || lead > 0xF4) return {1, false};
  const std::size_t size = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  unsigned char low = 0x80;
  unsigned char high = 0xBF;
  if (lead == 0xE0) low = 0xA0;   // overlong
  if (lead == 0xED) high = 0x9F;  // surrogates
  if (lead == 0xF0) low = 0x90;   // overlong
  if (lead == 0xF4) high = 0x8F;  // above U+10FFFF
  for (std::size_t i = 1; i < size; ++i) {
    if (i >= text.size() || byte(i) < low || byte(i) > high) return {i, false};
    low = 0x80;
    high = 0xBF;
  }
  return {size, true};
}

template <class Put>
std::size_t walk(std::string_view text, std::size_t limit, Put put) noexcept {
  std::size_t written = 0;
  while (!text.empty()) {
    const CodePoint point = read(text);
    const std::string_view piece = point.valid ? text.substr(0, point.size) : kReplacement;
    if (written + piece.size() > limit) break;
    put(piece);
    written += piece.size();
    text.remove_prefix(point.size);
  }
  return written;
}

}  // namespace

std::size_t repaired_size(std::string_view text, std::size_t limit) noexcept {
  return walk(text, limit, [](std::string_view) {});
}

char* write_repaired(char* out, std::string_view text, std::size_t limit) noexcept {
  walk(text, limit, [&](std::string_view piece) {
    std::memcpy(out, piece.data(), piece.size());
    out += piece.size();
  });
  return out;
}

}  // namespace alphaswarm::observability::sdk
