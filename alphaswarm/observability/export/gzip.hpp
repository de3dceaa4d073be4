#pragma once

#include <string>
#include <string_view>

namespace alphaswarm::observability {

// The bytes in gzip format (RFC 1952), at zlib's fastest level; empty if zlib fails.
[[nodiscard]] std::string gzip(std::string_view bytes);

}  // namespace alphaswarm::observability
