#include "alphaswarm/base/time.hpp"

#include <time.h>

#include <charconv>
#include <cstdio>

namespace alphaswarm {
namespace {

constexpr std::int64_t kNanos = 1'000'000'000;

std::int64_t read_clock(clockid_t id) noexcept {
  timespec now{};
  ::clock_gettime(id, &now);
  return static_cast<std::int64_t>(now.tv_sec) * kNanos + now.tv_nsec;
}

bool read_int(std::string_view text, std::size_t at, std::size_t count, int& out) {
  if (at + count > text.size()) return false;
  const char* end = text.data() + at + count;
  const auto [stop, error] = std::from_chars(text.data() + at, end, out);
  return error == std::errc{} && stop == end && out >= 0;
}

int days_in_month(int year, int month) {
  static constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : kDays[month - 1];
}

// Reads ".123456789" at `at`, moves `at` behind it. More than nine digits are cut.
bool read_fraction(std::string_view text, std::size_t& at, std::int64_t& nanos) {
  if (at >= text.size() || text[at] != '.') return true;
  ++at;
  std::int64_t scale = kNanos / 10;
  const std::size_t first = at;
  for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, scale /= 10) {
    nanos += (text[at] - '0') * scale;
  }
  return at > first;
}

// Reads "Z" or "+02:00" at `at`; the offset in seconds.
bool read_offset(std::string_view text, std::size_t at, std::int64_t& offset) {
  const std::string_view rest = text.substr(at);
  if (rest == "Z" || rest == "z") return true;
  int hours = 0;
  int minutes = 0;
  if (rest.size() != 6 || (rest[0] != '+' && rest[0] != '-') || rest[3] != ':') return false;
  if (!read_int(rest, 1, 2, hours) || !read_int(rest, 4, 2, minutes)) return false;
  if (hours > 23 || minutes > 59) return false;
  offset = (hours * 60 + minutes) * 60 * (rest[0] == '-' ? -1 : 1);
  return true;
}

}  // namespace

UnixNanos now_unix() noexcept { return {read_clock(CLOCK_REALTIME)}; }
std::int64_t monotonic_ns() noexcept { return read_clock(CLOCK_MONOTONIC); }

std::int64_t days_from_civil(int year, unsigned month, unsigned day) noexcept {
  year -= month <= 2 ? 1 : 0;
  const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
  const auto year_of_era = static_cast<unsigned>(year - era * 400);
  const unsigned day_of_year = (153 * (month + (month > 2 ? -3U : 9U)) + 2) / 5 + day - 1;
  const unsigned day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + static_cast<std::int64_t>(day_of_era) - 719468;
}

std::string to_rfc3339(UnixNanos time) {
  std::int64_t seconds = time.value / kNanos;
  std::int64_t nanos = time.value % kNanos;
  if (nanos < 0) {
    nanos += kNanos;
    --seconds;
  }
  const time_t whole = seconds;
  tm parts{};
  ::gmtime_r(&whole, &parts);
  char text[64];
  const int size =
      std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%09lldZ",
                    parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour,
                    parts.tm_min, parts.tm_sec, static_cast<long long>(nanos));
  return {text, static_cast<std::size_t>(size)};
}

Result<UnixNanos> from_rfc3339(std::string_view text) {
  const auto bad = [&] {
    return fail(ErrorCode::invalid_argument,
                "'" + std::string(text) + "' is not a time like 2026-11-22T14:03:11Z");
  };
  int year = 0;
  int month = 0;
  int day = 0;
  if (!read_int(text, 0, 4, year) || !read_int(text, 5, 2, month) || !read_int(text, 8, 2, day) ||
      text[4] != '-' || text[7] != '-' || month < 1 || month > 12 || day < 1 ||
      day > days_in_month(year, month)) {
    return bad();
  }
  std::int64_t seconds =
      days_from_civil(year, static_cast<unsigned>(month), static_cast<unsigned>(day)) * 86400;
  std::int64_t nanos = 0;
  if (text.size() > 10) {
    int hour = 0;
    int minute = 0;
    int second = 0;
    if ((text[10] != 'T' && text[10] != 't' && text[10] != ' ') || !read_int(text, 11, 2, hour) ||
        !read_int(text, 14, 2, minute) || !read_int(text, 17, 2, second) || text[13] != ':' ||
        text[16] != ':' || hour > 23 || minute > 59 || second > 60) {
      return bad();
    }
    std::size_t at = 19;
    std::int64_t offset = 0;
    if (!read_fraction(text, at, nanos) || !read_offset(text, at, offset)) return bad();
    seconds += hour * 3600 + minute * 60 + second - offset;
  }
  constexpr std::int64_t kLongest = INT64_MAX / kNanos - 1;  // 292 years on either side of 1970
  if (seconds < -kLongest || seconds > kLongest) {
    return fail(ErrorCode::invalid_argument,
                "'" + std::string(text) + "' is not between 1678 and 2261");
  }
  return UnixNanos{seconds * kNanos + nanos};
}

}  // namespace alphaswarm
