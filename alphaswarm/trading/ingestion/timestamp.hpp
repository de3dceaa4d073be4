#pragma once

#include <cstdint>
#include <string_view>

#include "alphaswarm/base/error.hpp"
#include "alphaswarm/base/time.hpp"

namespace alphaswarm::trading {

// A fixed distance from UTC, by which times without a zone are read.
struct ZoneOffset {
  std::int64_t seconds = 0;  // east of Greenwich
};

// "UTC", "Z" or "+02:00" / "-0530". Named zones change with the season and with the law, and need a
// database of them: they are refused with a sentence that says so.
[[nodiscard]] Result<ZoneOffset> parse_zone(std::string_view text);

// A date or time as market data files write it:
//   2013-05-13   2013/05/13   20130513   2013-05-13 09:30   2013-05-13T09:30:00.25Z   …+02:00
//   19-Sep-03    19-Sep-2003  19 Sep 2003   Jan 1 2000   Jan 1, 2000   January 1, 2000
//   9/19/2003 (month first, as in the United States)
//   1368403200 (Unix time in s, ms, µs or ns, by 9–10, 12–13, 15–16 or 18–19 digits)
// Two-digit years 69–99 are 19xx, 00–68 are 20xx (POSIX strptime). Dates without a time are
// midnight; times without a zone are in `zone`. Impossible dates (Feb 30) are errors.
[[nodiscard]] Result<UnixNanos> parse_timestamp(std::string_view text, ZoneOffset zone = {});

}  // namespace alphaswarm::trading
