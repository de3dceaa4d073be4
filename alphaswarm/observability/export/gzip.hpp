#pragma once

#include <string>

#include "alphaswarm/observability/export/request_bytes.hpp"

namespace alphaswarm::observability {

// The bytes in gzip format (RFC 1952), at zlib's fastest level; empty if zlib fails.
[[nodiscard]] std::string gzip(const RequestBytes& bytes);

}  // namespace alphaswarm::observability
