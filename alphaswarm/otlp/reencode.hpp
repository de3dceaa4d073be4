#pragma once

// Back from views to bytes, for the rare case that a request must be split or thinned out.

#include <cstddef>
#include <string>

#include "alphaswarm/otlp/views.hpp"

namespace alphaswarm::otlp {

// A request with `count` spans of the batch from the index `first` on, under their resources and
// scopes. Spans are copied as they are.
[[nodiscard]] std::string encode_spans(const TraceBatch& batch, std::size_t first = 0,
                                       std::size_t count = SIZE_MAX);

}  // namespace alphaswarm::otlp
