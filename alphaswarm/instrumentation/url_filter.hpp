#pragma once

#include <memory>
#include <string_view>

#include "alphaswarm/base/error.hpp"

namespace alphaswarm::instrumentation {

// Which paths are not traced: ALPHASWARM_OTEL_EXCLUDED_URLS. Immutable, so any thread may ask.
class UrlFilter {
 public:
  static constexpr std::string_view kDefault = "^/health,^/metrics";

  UrlFilter();  // excludes nothing
  UrlFilter(UrlFilter&&) noexcept;
  UrlFilter& operator=(UrlFilter&&) noexcept;
  ~UrlFilter();

  // A comma-separated list of regular expressions (ECMAScript), searched for in the path. Blanks
  // around them and empty ones are ignored. invalid_argument names the one that is malformed.
  [[nodiscard]] static Result<UrlFilter> parse(std::string_view list);

  [[nodiscard]] bool excludes(std::string_view path) const;

 private:
  struct Patterns;
  std::unique_ptr<const Patterns> patterns_;
};

}  // namespace alphaswarm::instrumentation
