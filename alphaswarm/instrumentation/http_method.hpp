#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace alphaswarm::instrumentation {

// `http.request.method` has few values by definition: what is not one of the methods of RFC 9110
// and RFC 5789 is "_OTHER", and shows as "HTTP" in span names (semantic conventions, HTTP spans).
[[nodiscard]] inline bool is_known_method(std::string_view method) noexcept {
  static constexpr std::array<std::string_view, 9> kKnown = {
      "CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"};
  return std::ranges::find(kKnown, method) != kKnown.end();
}

}  // namespace alphaswarm::instrumentation
