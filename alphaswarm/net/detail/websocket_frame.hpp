#pragma once

// WebSocket framing, RFC 6455 §5. No I/O.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "alphaswarm/base/error.hpp"

namespace alphaswarm::net::detail {

enum class Opcode : std::uint8_t {
  continuation = 0,
  text = 1,
  binary = 2,
  close = 8,
  ping = 9,
  pong = 10,
};

struct FrameHead {
  bool final = true;
  Opcode opcode = Opcode::text;
  bool masked = false;
  std::array<unsigned char, 4> mask{};
  std::uint64_t payload_bytes = 0;
  std::size_t head_bytes = 0;
};

// The head at the front of `bytes`. head_bytes is 0 while more is needed. invalid_argument for what
// the protocol forbids: reserved bits and opcodes, long or fragmented control frames, a length not
// in its shortest form.
[[nodiscard]] Result<FrameHead> parse_frame_head(std::string_view bytes);

// Masks or unmasks in place: the two are one.
void apply_mask(std::array<unsigned char, 4> mask, char* bytes, std::size_t count) noexcept;

// A whole frame. With `mask` as a client sends it, without as a server does.
[[nodiscard]] std::string make_frame(Opcode opcode, std::string_view payload,
                                     const std::array<unsigned char, 4>* mask);

// Sec-WebSocket-Accept for a Sec-WebSocket-Key (§4.2.2).
[[nodiscard]] std::string accept_key(std::string_view key);
// A fresh Sec-WebSocket-Key: 16 random bytes in base64.
[[nodiscard]] std::string new_websocket_key();
[[nodiscard]] std::array<unsigned char, 4> new_mask();
[[nodiscard]] bool is_websocket_key(std::string_view key) noexcept;

// Codes a peer may send in a close frame (§7.4).
[[nodiscard]] bool is_close_code(std::uint16_t code) noexcept;
[[nodiscard]] bool is_utf8(std::string_view text) noexcept;

}  // namespace alphaswarm::net::detail
