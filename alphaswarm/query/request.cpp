#include "alphaswarm/query/request.hpp"

#include <charconv>

#include "alphaswarm/tracestore/filter.hpp"

namespace alphaswarm::query {

std::string Parameters::text(std::initializer_list<std::string_view> names) const {
  for (const std::string_view name : names) {
    auto value = request_.query_param(name);
    if (value && !value->empty()) return std::move(*value);
  }
  return {};
}

Result<std::uint64_t> Parameters::number(std::string_view name, std::uint64_t otherwise) const {
  const std::string value = text({name});
  if (value.empty()) return otherwise;
  std::uint64_t number = 0;
  const auto [end, code] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (code != std::errc() || end != value.data() + value.size()) {
    return fail(ErrorCode::invalid_argument,
                "parameter " + std::string(name) + ": '" + value + "' is not a whole number");
  }
  return number;
}

Result<std::uint64_t> Parameters::duration(std::initializer_list<std::string_view> names,
                                           std::uint64_t otherwise) const {
  const std::string value = text(names);
  if (value.empty()) return otherwise;
  auto duration = tracestore::parse_duration(value);
  if (!duration)
    duration.error().message.insert(0, "parameter " + std::string(*names.begin()) + ": ");
  return duration;
}

Result<bool> Parameters::flag(std::string_view name, bool otherwise) const {
  const std::string value = text({name});
  if (value.empty()) return otherwise;
  if (value == "true" || value == "1") return true;
  if (value == "false" || value == "0") return false;
  return fail(ErrorCode::invalid_argument,
              "parameter " + std::string(name) + ": '" + value + "' is neither true nor false");
}

}  // namespace alphaswarm::query
