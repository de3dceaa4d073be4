#pragma once

#include <string_view>

namespace alphaswarm::instrumentation {

// `http.request.method` has few values by definition: what is not one of the methods of RFC 9110
// and RFC 5789 is "_OTHER", and shows as "HTTP" in span names (semantic conventions, HTTP spans).
[[nodiscard]] inline bool is_known_method(std::string_view method) noexcept {
  switch (method.size()) {
    case 3:
      return method == "GET" || method == "PUT";
    case 4:
      return method == "POST" || method == "HEAD";
    case 5:
      return method == "PATCH" || method == "TRACE";
    case 6:
      return method == "DELETE";
    case 7:
      return method == "OPTIONS" || method == "CONNECT";
    default:
      return false;
  }
}

}  // namespace alphaswarm::instrumentation
