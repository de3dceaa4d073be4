#include "alphaswarm/net/detail/websocket_frame.hpp"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>

#include "alphaswarm/net/detail/utf8.hpp"

namespace alphaswarm::net::detail {
namespace {

std::uint64_t big_endian(std::string_view bytes) noexcept {
  std::uint64_t value = 0;
  for (const char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

std::unexpected<Error> violation(const char* what) {
  return fail(ErrorCode::invalid_argument, std::string("WebSocket: ") + what);
}

std::string base64(const unsigned char* bytes, std::size_t count) {
  std::string out(4 * ((count + 2) / 3) + 1, '\0');  // EVP_EncodeBlock writes a final zero
  const int size =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), bytes, static_cast<int>(count));
  out.resize(static_cast<std::size_t>(size));
  return out;
}

}  // namespace

Result<FrameHead> parse_frame_head(std::string_view bytes) {
  FrameHead head;
  if (bytes.size() < 2) return head;
  const auto first = static_cast<unsigned char>(bytes[0]);
  const auto second = static_cast<unsigned char>(bytes[1]);
  if ((first & 0x70U) != 0) return violation("a reserved bit is set");
  const unsigned opcode = first & 0x0FU;
  const bool control = opcode >= 8;
  if ((opcode > 2 && !control) || opcode > 10) return violation("unknown opcode");
  head.final = (first & 0x80U) != 0;
  head.opcode = static_cast<Opcode>(opcode);
  head.masked = (second & 0x80U) != 0;
  head.payload_bytes = second & 0x7FU;
  if (control && (!head.final || head.payload_bytes > 125)) {
    return violation("a control frame is fragmented or too long");
  }
  const std::size_t extra = head.payload_bytes == 126 ? 2 : head.payload_bytes == 127 ? 8 : 0;
  const std::size_t size = 2 + extra + (head.masked ? 4 : 0);
  if (bytes.size() < size) return head;
  if (extra > 0) {
    head.payload_bytes = big_endian(bytes.substr(2, extra));
    const bool shorter = extra == 2 ? head.payload_bytes < 126 : head.payload_bytes <= 0xFFFF;
    if (shorter || head.payload_bytes > 1ULL << 62) return violation("bad frame length");
  }
  if (head.masked) {
    std::ranges::transform(bytes.substr(2 + extra, 4), head.mask.begin(),
                           [](char c) { return static_cast<unsigned char>(c); });
  }
  head.head_bytes = size;
  return head;
}

void apply_mask(std::array<unsigned char, 4> mask, char* bytes, std::size_t count) noexcept {
  for (std::size_t i = 0; i < count; ++i) bytes[i] ^= static_cast<char>(mask[i & 3]);
}

std::string make_frame(Opcode opcode, std::string_view payload,
                       const std::array<unsigned char, 4>* mask) {
  std::string out;
  out.reserve(payload.size() + 14);
  out += static_cast<char>(0x80U | static_cast<unsigned>(opcode));
  const unsigned mask_bit = mask != nullptr ? 0x80U : 0;
  const std::uint64_t size = payload.size();
  const int extra = size < 126 ? 0 : size <= 0xFFFF ? 2 : 8;
  out += static_cast<char>(mask_bit | (extra == 0 ? size : extra == 2 ? 126 : 127));
  for (int i = extra - 1; i >= 0; --i) out += static_cast<char>(size >> (8 * i) & 0xFFU);
  if (mask != nullptr) out.append(reinterpret_cast<const char*>(mask->data()), mask->size());
  const std::size_t start = out.size();
  out += payload;
  if (mask != nullptr) apply_mask(*mask, out.data() + start, payload.size());
  return out;
}

std::string accept_key(std::string_view key) {
  const std::string text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr);
  return base64(digest.data(), size);
}

std::string new_websocket_key() {
  std::array<unsigned char, 16> bytes{};
  RAND_bytes(bytes.data(), static_cast<int>(bytes.size()));
  return base64(bytes.data(), bytes.size());
}

std::array<unsigned char, 4> new_mask() {
  std::array<unsigned char, 4> mask{};
  RAND_bytes(mask.data(), static_cast<int>(mask.size()));
  return mask;
}

bool is_websocket_key(std::string_view key) noexcept {
  const auto base64_char = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '+' ||
           c == '/';
  };
  return key.size() == 24 && key.ends_with("==") &&
         std::ranges::all_of(key.substr(0, 22), base64_char);
}

bool is_close_code(std::uint16_t code) noexcept {
  const bool reserved = code == 1004 || code == 1005 || code == 1006;
  return (code >= 1000 && code <= 1014 && !reserved) || (code >= 3000 && code <= 4999);
}

bool is_utf8(std::string_view text) noexcept {
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = utf8_length(text, i);
    if (length == 0) return false;
    i += length;
  }
  return true;
}

}  // namespace alphaswarm::net::detail
