#pragma once

#include "alphaswarm/observability/api/attribute.hpp"
#include "alphaswarm/observability/metrics/data.hpp"

namespace alphaswarm::observability::metrics::detail {

// The canonical form; of a key given twice the last value counts, an empty key is left out.
// Invalid UTF-8 is repaired, long values are cut at 4096 bytes.
[[nodiscard]] AttributeSet canonical(Attributes attributes);

// The bytes with each attribute as field `field` of another message.
void append_attributes(std::string& out, const AttributeSet& attributes, std::uint32_t field);

// Text fit for protobuf.
[[nodiscard]] std::string repaired(std::string_view text);

}  // namespace alphaswarm::observability::metrics::detail
