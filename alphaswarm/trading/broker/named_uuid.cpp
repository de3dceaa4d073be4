#include "alphaswarm/trading/broker/named_uuid.hpp"

#include <openssl/sha.h>

#include <array>
#include <cstdint>

#include "alphaswarm/base/ids.hpp"

namespace alphaswarm::trading {

std::string named_uuid(std::string_view name) {
  static constexpr std::array<unsigned char, 16> kNameSpace = {0x2f, 0x1e, 0x8d, 0x1c, 0x6c, 0x1b,
                                                               0x5c, 0x52, 0x9d, 0x0e, 0x8f, 0x0b,
                                                               0x6a, 0x3a, 0x7d, 0x55};
  std::string input(reinterpret_cast<const char*>(kNameSpace.data()), kNameSpace.size());
  input += name;
  std::array<std::uint8_t, SHA_DIGEST_LENGTH> digest{};
  SHA1(reinterpret_cast<const unsigned char*>(input.data()), input.size(), digest.data());
  digest[6] = static_cast<std::uint8_t>((digest[6] & 0x0fU) | 0x50U);
  digest[8] = static_cast<std::uint8_t>((digest[8] & 0x3fU) | 0x80U);
  std::array<char, 32> hex{};
  detail::write_hex(digest.data(), 16, hex.data());
  std::string text;
  text.reserve(36);
  for (std::size_t i = 0; i < hex.size(); ++i) {
    if (i == 8 || i == 12 || i == 16 || i == 20) text += '-';
    text += hex[i];
  }
  return text;
}

}  // namespace alphaswarm::trading
