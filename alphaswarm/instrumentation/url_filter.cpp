#include "alphaswarm/instrumentation/url_filter.hpp"

#include <algorithm>
#include <regex>
#include <string>
#include <vector>

namespace alphaswarm::instrumentation {

namespace {

// Most filters are "^/health": the beginning of a path and nothing that a regular expression is
// needed for, which costs a tenth of what std::regex takes of each request.
bool is_plain_beginning(std::string_view pattern) {
  return pattern.starts_with('^') &&
         pattern.find_first_of("^$.*+?()[]{}|\\", 1) == std::string_view::npos;
}

}  // namespace

struct UrlFilter::Patterns {
  std::vector<std::string> beginnings;
  std::vector<std::regex> expressions;
};

UrlFilter::UrlFilter() : patterns_(std::make_unique<Patterns>()) {}
UrlFilter::UrlFilter(UrlFilter&&) noexcept = default;
UrlFilter& UrlFilter::operator=(UrlFilter&&) noexcept = default;
UrlFilter::~UrlFilter() = default;

Result<UrlFilter> UrlFilter::parse(std::string_view list) {
  auto patterns = std::make_unique<Patterns>();
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(','), list.size());
    std::string_view part = list.substr(0, end);
    list.remove_prefix(std::min(end + 1, list.size()));
    while (part.starts_with(' ')) part.remove_prefix(1);
    while (part.ends_with(' ')) part.remove_suffix(1);
    if (part.empty()) continue;
    if (is_plain_beginning(part)) {
      patterns->beginnings.emplace_back(part.substr(1));
      continue;
    }
    try {
      patterns->expressions.emplace_back(part.begin(), part.end(),
                                         std::regex::ECMAScript | std::regex::optimize);
    } catch (const std::regex_error& error) {
      return fail(ErrorCode::invalid_argument,
                  "excluded URLs: \"" + std::string(part) +
                      "\" is not a regular expression: " + error.what());
    }
  }
  UrlFilter filter;
  filter.patterns_ = std::move(patterns);
  return filter;
}

bool UrlFilter::excludes(std::string_view path) const {
  if (std::ranges::any_of(patterns_->beginnings, [&](const std::string& beginning) {
        return path.starts_with(beginning);
      })) {
    return true;
  }
  // A path of kilobytes would take std::regex's recursion deep; nobody excludes such.
  constexpr std::size_t kLongest = 1024;
  path = path.substr(0, kLongest);
  return std::ranges::any_of(patterns_->expressions, [&](const std::regex& expression) {
    return std::regex_search(path.begin(), path.end(), expression);
  });
}

}  // namespace alphaswarm::instrumentation
