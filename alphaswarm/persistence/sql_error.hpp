#pragma once

#include <expected>
#include <string>

#include "alphaswarm/base/error.hpp"

namespace alphaswarm::persistence::detail {

// An error together with the SQLSTATE an observer is told.
struct SqlError {
  Error error;
  std::string sqlstate;
};

template <class T>
using SqlResult = std::expected<T, SqlError>;

}  // namespace alphaswarm::persistence::detail
