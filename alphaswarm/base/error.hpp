#pragma once

// Errors are values at module boundaries: a function that can fail returns Result<T>.

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace alphaswarm {

// What kind of failure it was; callers branch on this, people read the message.
enum class ErrorCode : std::uint8_t {
  invalid_argument,  // the caller's input is wrong; the message names it
  not_found,
  already_exists,
  conflict,  // a concurrent change won; try the whole transaction again
  permission_denied,
  unauthenticated,
  unavailable,         // the other side is away or refuses for now
  resource_exhausted,  // a named bound was reached
  deadline_exceeded,
  cancelled,
  data_loss,  // corrupt bytes
  unimplemented,
  internal,
};

[[nodiscard]] std::string_view to_string(ErrorCode code) noexcept;

struct Error {
  ErrorCode code = ErrorCode::internal;
  std::string message;     // one sentence: what, where, what to do
  bool retryable = false;  // the same call may succeed later

  friend bool operator==(const Error&, const Error&) = default;
};

template <class T = void>
using Result = std::expected<T, Error>;

[[nodiscard]] inline std::unexpected<Error> fail(ErrorCode code, std::string message) {
  const bool retryable = code == ErrorCode::unavailable || code == ErrorCode::resource_exhausted ||
                         code == ErrorCode::deadline_exceeded || code == ErrorCode::conflict;
  return std::unexpected(Error{code, std::move(message), retryable});
}

}  // namespace alphaswarm
