#pragma once

#include <string>
#include <string_view>

namespace alphaswarm::trading {

// The UUID of a name: always the same for the same text, so that a repeated step of a session
// finds the rows and executions of its first run instead of adding to them. Version 5 (RFC 9562
// §5.5), in the name space 2f1e8d1c-6c1b-5c52-9d0e-8f0b6a3a7d55.
[[nodiscard]] std::string named_uuid(std::string_view name);

}  // namespace alphaswarm::trading
