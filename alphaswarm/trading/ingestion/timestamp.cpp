#include "alphaswarm/trading/ingestion/timestamp.hpp"

#include <array>
#include <charconv>
#include <optional>
#include <string>

namespace alphaswarm::trading {
namespace {

struct Date {
  int year = 0;
  unsigned month = 0, day = 0;
};

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool is_letter(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// Reads a text from the left; every function leaves the position alone when it finds nothing.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : rest_(text) {}

  [[nodiscard]] bool done() const noexcept { return rest_.empty(); }
  [[nodiscard]] char peek() const noexcept { return rest_.empty() ? '\0' : rest_.front(); }

  bool take(char c) noexcept {
    if (peek() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  // Any run of these, at least one.
  bool take_any(std::string_view characters) noexcept {
    const std::size_t count = rest_.find_first_not_of(characters);
    if (count == 0 || rest_.empty()) return false;
    rest_.remove_prefix(std::min(count, rest_.size()));
    return true;
  }
  // A number of `least` to `most` digits that no further digit follows.
  std::optional<unsigned> number(std::size_t least, std::size_t most) noexcept {
    std::size_t count = 0;
    unsigned value = 0;
    while (count < rest_.size() && is_digit(rest_[count])) {
      if (count == most) return std::nullopt;
      value = value * 10 + static_cast<unsigned>(rest_[count++] - '0');
    }
    if (count < least) return std::nullopt;
    rest_.remove_prefix(count);
    return value;
  }
  std::string_view word() noexcept {
    std::size_t count = 0;
    while (count < rest_.size() && is_letter(rest_[count])) ++count;
    const std::string_view found = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return found;
  }
  [[nodiscard]] std::size_t digits_ahead() const noexcept {
    std::size_t count = 0;
    while (count < rest_.size() && is_digit(rest_[count])) ++count;
    return count;
  }

 private:
  std::string_view rest_;
};

// 1–12 for a month's name or its first three or more letters, in any case.
std::optional<unsigned> month_of(std::string_view word) noexcept {
  constexpr std::array<std::string_view, 12> kNames{
      "january", "february", "march",     "april",   "may",      "june",
      "july",    "august",   "september", "october", "november", "december"};
  if (word.size() < 3) return std::nullopt;
  for (unsigned month = 0; month < kNames.size(); ++month) {
    const std::string_view name = kNames[month];
    if (word.size() > name.size()) continue;
    bool same = true;
    for (std::size_t i = 0; i < word.size(); ++i) same &= (word[i] | 0x20) == name[i];
    if (same) return month + 1;
  }
  return std::nullopt;
}

bool exists(const Date& date) noexcept {
  constexpr std::array<unsigned, 12> kDays{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  // Nanoseconds since 1970 in 64 bits reach from 1677 to 2262.
  if (date.year < 1700 || date.year > 2250 || date.month < 1 || date.month > 12) return false;
  const bool leap = (date.year % 4 == 0 && date.year % 100 != 0) || date.year % 400 == 0;
  const unsigned days = kDays[date.month - 1] + (leap && date.month == 2 ? 1 : 0);
  return date.day >= 1 && date.day <= days;
}

std::optional<int> year(Cursor& cursor) noexcept {
  const std::size_t digits = cursor.digits_ahead();
  if (digits != 2 && digits != 4) return std::nullopt;
  const auto value = static_cast<int>(*cursor.number(digits, digits));
  if (digits == 4) return value;
  return value >= 69 ? 1900 + value : 2000 + value;
}

// 2013-05-13, 2013/5/13, 20130513
std::optional<Date> year_first(Cursor& cursor) noexcept {
  if (cursor.digits_ahead() == 8) {
    const unsigned all = *cursor.number(8, 8);
    return Date{static_cast<int>(all / 10'000), all / 100 % 100, all % 100};
  }
  const auto first = cursor.number(4, 4);
  const char separator = cursor.peek();
  if (!first || (separator != '-' && separator != '/')) return std::nullopt;
  cursor.take(separator);
  const auto month = cursor.number(1, 2);
  if (!month || !cursor.take(separator)) return std::nullopt;
  const auto day = cursor.number(1, 2);
  if (!day) return std::nullopt;
  return Date{static_cast<int>(*first), *month, *day};
}

// 9/19/2003, 19-Sep-03, 19 Sep 2003
std::optional<Date> number_first(Cursor& cursor) noexcept {
  const auto first = cursor.number(1, 2);
  if (!first) return std::nullopt;
  if (cursor.take('/')) {
    const auto day = cursor.number(1, 2);
    if (!day || !cursor.take('/')) return std::nullopt;
    const auto last = year(cursor);
    if (!last) return std::nullopt;
    return Date{*last, *first, *day};
  }
  if (!cursor.take_any("- ")) return std::nullopt;
  const auto month = month_of(cursor.word());
  if (!month || !cursor.take_any("-, ")) return std::nullopt;
  const auto last = year(cursor);
  if (!last) return std::nullopt;
  return Date{*last, *month, *first};
}

// Jan 1 2000, January 1, 2000
std::optional<Date> month_first(Cursor& cursor) noexcept {
  const auto month = month_of(cursor.word());
  if (!month || !cursor.take_any(" -")) return std::nullopt;
  const auto day = cursor.number(1, 2);
  if (!day || !cursor.take_any(", -")) return std::nullopt;
  const auto last = year(cursor);
  if (!last) return std::nullopt;
  return Date{*last, *month, *day};
}

std::optional<ZoneOffset> offset(Cursor& cursor) noexcept {
  if (cursor.take('Z') || cursor.take('z')) return ZoneOffset{};
  const bool west = cursor.peek() == '-';
  if (!cursor.take('+') && !cursor.take('-')) return std::nullopt;
  unsigned hours = 0;
  unsigned minutes = 0;
  if (cursor.digits_ahead() == 4) {
    const unsigned both = *cursor.number(4, 4);
    hours = both / 100;
    minutes = both % 100;
  } else {
    const auto found = cursor.number(2, 2);
    if (!found) return std::nullopt;
    hours = *found;
    if (cursor.take(':')) {
      const auto more = cursor.number(2, 2);
      if (!more) return std::nullopt;
      minutes = *more;
    }
  }
  if (hours > 18 || minutes > 59) return std::nullopt;
  const std::int64_t seconds = hours * 3600LL + minutes * 60LL;
  return ZoneOffset{west ? -seconds : seconds};
}

// "09:30", "09:30:00", "09:30:00.25", each perhaps with a zone; nanoseconds since midnight UTC.
std::optional<std::int64_t> time_of_day(Cursor& cursor, ZoneOffset zone) noexcept {
  const auto hours = cursor.number(1, 2);
  if (!hours || *hours > 23 || !cursor.take(':')) return std::nullopt;
  const auto minutes = cursor.number(2, 2);
  if (!minutes || *minutes > 59) return std::nullopt;
  unsigned seconds = 0;
  std::int64_t fraction = 0;
  if (cursor.take(':')) {
    const auto found = cursor.number(2, 2);
    if (!found || *found > 59) return std::nullopt;
    seconds = *found;
    if (cursor.take('.')) {
      const std::size_t digits = cursor.digits_ahead();
      if (digits < 1 || digits > 9) return std::nullopt;
      fraction = *cursor.number(1, 9);
      for (std::size_t i = digits; i < 9; ++i) fraction *= 10;
    }
  }
  cursor.take(' ');
  if (!cursor.done()) {
    const auto found = offset(cursor);
    if (!found) return std::nullopt;
    zone = *found;
  }
  const std::int64_t whole = *hours * 3600LL + *minutes * 60LL + seconds - zone.seconds;
  return whole * 1'000'000'000 + fraction;
}

std::optional<UnixNanos> unix_time(std::string_view text) noexcept {
  std::int64_t value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || stop != text.data() + text.size() || value < 0) return std::nullopt;
  switch (text.size()) {
    case 9:
    case 10:
      return UnixNanos{value * 1'000'000'000};
    case 12:
    case 13:
      return UnixNanos{value * 1'000'000};
    case 15:
    case 16:
      return UnixNanos{value * 1'000};
    case 18:
    case 19:
      return UnixNanos{value};
    default:
      return std::nullopt;
  }
}

}  // namespace

Result<ZoneOffset> parse_zone(std::string_view text) {
  if (text.empty() || text == "UTC" || text == "utc" || text == "GMT") return ZoneOffset{};
  Cursor cursor(text);
  const auto found = offset(cursor);
  if (found && cursor.done()) return *found;
  return fail(ErrorCode::invalid_argument,
              "time zone '" + std::string(text.substr(0, 64)) +
                  "' is not UTC or a fixed offset such as +02:00; named zones are not supported");
}

Result<UnixNanos> parse_timestamp(std::string_view text, ZoneOffset zone) {
  const auto bad = [&](std::string_view why) {
    return fail(ErrorCode::invalid_argument,
                "'" + std::string(text.substr(0, 64)) + "' is not a date: " + std::string(why));
  };
  if (const auto found = unix_time(text)) return *found;
  using Form = std::optional<Date> (*)(Cursor&) noexcept;
  for (const Form form : {Form{year_first}, Form{number_first}, Form{month_first}}) {
    Cursor cursor(text);
    const std::optional<Date> date = form(cursor);
    if (!date) continue;
    if (!exists(*date)) return bad("there is no such day");
    std::int64_t within = -zone.seconds * 1'000'000'000;
    if (!cursor.done()) {
      if (!cursor.take('T') && !cursor.take_any(" ")) return bad("something follows it");
      const auto time = time_of_day(cursor, zone);
      if (!time || !cursor.done()) return bad("the time of day is not HH:MM[:SS[.fraction]][zone]");
      within = *time;
    }
    const std::int64_t days = days_from_civil(date->year, date->month, date->day);
    return UnixNanos{days * 86'400'000'000'000 + within};
  }
  return bad("no known form");
}

}  // namespace alphaswarm::trading
