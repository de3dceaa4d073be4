#pragma once

#include <string_view>

namespace alphaswarm::cli {

inline constexpr std::string_view kVersion = ALPHASWARM_VERSION;  // from CMakeLists.txt

}  // namespace alphaswarm::cli
