#include "alphaswarm/trading/broker/retry.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace alphaswarm::trading {
namespace {

constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

std::optional<int> whole(std::string_view text) noexcept {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size() || value < 0) {
    return std::nullopt;
  }
  return value;
}

// IMF-fixdate, the one form senders may write: "Sun, 06 Nov 1994 08:49:37 GMT".
std::optional<std::int64_t> http_date_seconds(std::string_view text) noexcept {
  if (text.size() != 29 || !text.ends_with(" GMT") || text.substr(3, 2) != ", ") {
    return std::nullopt;
  }
  const auto month = std::ranges::find(kMonths, text.substr(8, 3));
  const auto day = whole(text.substr(5, 2));
  const auto year = whole(text.substr(12, 4));
  const auto hour = whole(text.substr(17, 2));
  const auto minute = whole(text.substr(20, 2));
  const auto second = whole(text.substr(23, 2));
  if (month == kMonths.end() || !day || !year || !hour || !minute || !second || *day < 1 ||
      *day > 31 || *hour > 23 || *minute > 59 || *second > 60) {
    return std::nullopt;
  }
  const auto month_number = static_cast<unsigned>(month - kMonths.begin()) + 1;
  const std::int64_t days = days_from_civil(*year, month_number, static_cast<unsigned>(*day));
  return ((days * 24 + *hour) * 60 + *minute) * 60 + *second;
}

}  // namespace

std::chrono::nanoseconds backoff(const RetryPolicy& policy, int failures, double uniform) noexcept {
  const auto shortest = static_cast<double>(policy.shortest.count());
  const double ceiling = std::min(static_cast<double>(policy.longest.count()),
                                  std::ldexp(shortest, std::clamp(failures, 1, 40)));
  const double wait = shortest + uniform * std::max(0.0, ceiling - shortest);
  return std::chrono::nanoseconds(static_cast<std::int64_t>(wait));
}

std::optional<std::chrono::nanoseconds> parse_retry_after(std::string_view value,
                                                          UnixNanos now) noexcept {
  while (value.starts_with(' ')) value.remove_prefix(1);
  while (value.ends_with(' ')) value.remove_suffix(1);
  if (const auto seconds = whole(value)) return std::chrono::seconds(*seconds);
  const auto date = http_date_seconds(value);
  if (!date) return std::nullopt;
  // Four digits of a year reach further than nanoseconds do.
  constexpr std::int64_t kSecond = 1'000'000'000;
  constexpr std::int64_t kLongest = 10LL * 366 * 86'400;
  const std::int64_t now_seconds = now.value / kSecond;
  const std::int64_t seconds = std::clamp(*date, now_seconds - 1, now_seconds + kLongest);
  return std::chrono::nanoseconds(std::max<std::int64_t>(0, seconds * kSecond - now.value));
}

}  // namespace alphaswarm::trading
