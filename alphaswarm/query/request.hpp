#pragma once

// Reading query parameters, the same for every API.

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "alphaswarm/base/error.hpp"
#include "alphaswarm/net/http.hpp"

namespace alphaswarm::query {

// Each error is invalid_argument and names the parameter and its value.
class Parameters {
 public:
  explicit Parameters(const net::HttpRequest& request) : request_(request) {}

  // The first of these names that is there and not empty; "" if none is.
  [[nodiscard]] std::string text(std::initializer_list<std::string_view> names) const;
  [[nodiscard]] Result<std::uint64_t> number(std::string_view name, std::uint64_t otherwise) const;
  [[nodiscard]] Result<std::uint64_t> duration(std::initializer_list<std::string_view> names,
                                               std::uint64_t otherwise) const;
  // true, false, 1, 0.
  [[nodiscard]] Result<bool> flag(std::string_view name, bool otherwise) const;

 private:
  const net::HttpRequest& request_;
};

}  // namespace alphaswarm::query
