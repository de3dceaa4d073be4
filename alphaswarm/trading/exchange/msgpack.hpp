#pragma once

#include <boost/json/value.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace alphaswarm::trading::exchange {

// MessagePack (github.com/msgpack/msgpack, spec.md), as far as Alpaca's data stream uses it: null,
// booleans, numbers, text, arrays and maps with text keys. A text at key "t" that is an RFC 3339
// time becomes a timestamp (extension −1), as Alpaca's clients expect.
[[nodiscard]] std::string to_msgpack(const boost::json::value& value);
// Nullopt for what is malformed, nested too deep, or of another type.
[[nodiscard]] std::optional<boost::json::value> from_msgpack(std::string_view bytes);

}  // namespace alphaswarm::trading::exchange
