#pragma once

// Points in time as the whole system stores them: nanoseconds since 1970-01-01T00:00:00Z.

#include <cstdint>
#include <string>
#include <string_view>

#include "alphaswarm/base/error.hpp"
#include "alphaswarm/base/unix_nanos.hpp"

namespace alphaswarm {

// The wall clock. Thread-safe.
[[nodiscard]] UnixNanos now_unix() noexcept;
// A clock that never goes back, for measuring intervals: nanoseconds since an arbitrary start.
[[nodiscard]] std::int64_t monotonic_ns() noexcept;

// "2026-11-22T14:03:11.284112903Z"; always nine decimals.
[[nodiscard]] std::string to_rfc3339(UnixNanos time);
// RFC 3339 with Z or an offset, or a bare date "2026-11-22" (midnight UTC).
[[nodiscard]] Result<UnixNanos> from_rfc3339(std::string_view text);
// Days since 1970-01-01 of a proleptic Gregorian date; nullopt-like -1 is not used: the caller
// checks month 1–12 and day 1–31 first. Source: H. Hinnant, chrono-compatible date algorithms.
[[nodiscard]] std::int64_t days_from_civil(int year, unsigned month, unsigned day) noexcept;

}  // namespace alphaswarm
