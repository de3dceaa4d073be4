#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "alphaswarm/base/error.hpp"

namespace alphaswarm::collector {

// Undoes a Content-Encoding: gzip, deflate (zlib-wrapped, as RFC 9110 says, or bare, as some send),
// zlib, zstd; "", "none" and "identity" give `body` back. resource_exhausted when the result is
// longer than `max_bytes`; invalid_argument for damaged data; unimplemented for other encodings.
[[nodiscard]] Result<std::string> decompress(std::string_view encoding, std::string body,
                                             std::size_t max_bytes);

}  // namespace alphaswarm::collector
