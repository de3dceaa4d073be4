#pragma once

// What a benchmark says of a number that is asked for, in the words of bench/sdk/run.py.

#include <cstdio>

namespace bench {

// Prints `<name> <value> <unit> must >= <bound> ok|SHORT`; false if it is short.
[[nodiscard]] inline bool at_least(const char* name, double value, const char* unit, double bound) {
  const bool good = value >= bound;
  std::printf("%s %.3f %s must >= %g %s\n", name, value, unit, bound, good ? "ok" : "SHORT");
  return good;
}

}  // namespace bench
