#pragma once

#include <cstdint>

namespace alphaswarm::otlp {

// Of a protobuf field. Groups (3, 4) never occur in OTLP.
enum class WireType : std::uint8_t { varint = 0, fixed64 = 1, length = 2, fixed32 = 5 };

}  // namespace alphaswarm::otlp
