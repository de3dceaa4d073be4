#include "alphaswarm/trading/market/types.hpp"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace alphaswarm::trading {
namespace {

template <class Enum>
using Word = std::pair<std::string_view, Enum>;

// The first word of a value is the one it is printed with; later ones are only understood.
constexpr std::array kSides{Word<Side>{"buy", Side::buy}, Word<Side>{"sell", Side::sell}};
constexpr std::array kOrderTypes{
    Word<OrderType>{"market", OrderType::market}, Word<OrderType>{"limit", OrderType::limit},
    Word<OrderType>{"stop", OrderType::stop}, Word<OrderType>{"stop_limit", OrderType::stop_limit}};
constexpr std::array kTimesInForce{Word<TimeInForce>{"day", TimeInForce::day},
                                   Word<TimeInForce>{"gtc", TimeInForce::gtc},
                                   Word<TimeInForce>{"ioc", TimeInForce::ioc}};
constexpr std::array kStatuses{Word<OrderStatus>{"submitting", OrderStatus::submitting},
                               Word<OrderStatus>{"new", OrderStatus::new_order},
                               Word<OrderStatus>{"partial", OrderStatus::partial},
                               Word<OrderStatus>{"filled", OrderStatus::filled},
                               Word<OrderStatus>{"cancelled", OrderStatus::cancelled},
                               Word<OrderStatus>{"rejected", OrderStatus::rejected},
                               Word<OrderStatus>{"expired", OrderStatus::expired},
                               Word<OrderStatus>{"accepted", OrderStatus::new_order},
                               Word<OrderStatus>{"pending_new", OrderStatus::submitting},
                               Word<OrderStatus>{"partially_filled", OrderStatus::partial},
                               Word<OrderStatus>{"canceled", OrderStatus::cancelled},
                               Word<OrderStatus>{"replaced", OrderStatus::cancelled},
                               Word<OrderStatus>{"done_for_day", OrderStatus::expired},
                               // Alpaca's ways of saying that more is to come.
                               Word<OrderStatus>{"pending_cancel", OrderStatus::new_order},
                               Word<OrderStatus>{"pending_replace", OrderStatus::new_order},
                               Word<OrderStatus>{"pending_review", OrderStatus::new_order},
                               Word<OrderStatus>{"accepted_for_bidding", OrderStatus::new_order},
                               Word<OrderStatus>{"held", OrderStatus::new_order},
                               Word<OrderStatus>{"suspended", OrderStatus::new_order},
                               Word<OrderStatus>{"stopped", OrderStatus::new_order},
                               Word<OrderStatus>{"calculated", OrderStatus::new_order}};
constexpr std::array kIntervals{
    Word<Interval>{"1m", Interval::minute}, Word<Interval>{"1h", Interval::hour},
    Word<Interval>{"1d", Interval::day},    Word<Interval>{"1w", Interval::week},
    Word<Interval>{"1mo", Interval::month}, Word<Interval>{"minute", Interval::minute},
    Word<Interval>{"hour", Interval::hour}, Word<Interval>{"day", Interval::day},
    Word<Interval>{"week", Interval::week}, Word<Interval>{"month", Interval::month}};

template <class Words, class Enum>
std::string_view word_of(const Words& words, Enum value) noexcept {
  for (const auto& [word, candidate] : words) {
    if (candidate == value) return word;
  }
  return "unknown";
}

template <class Enum, class Words>
Result<Enum> parse_word(const Words& words, std::string_view what, std::string_view text) {
  std::string allowed;
  for (const auto& [word, value] : words) {
    if (word == text) return value;
    if (word != word_of(words, value)) continue;  // not the printed word of its value
    if (!allowed.empty()) allowed += ", ";
    allowed += word;
  }
  return fail(ErrorCode::invalid_argument,
              fmt::format("'{}' is not {}: one of {}", text.substr(0, 64), what, allowed));
}

bool is_symbol_character(char c) noexcept {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '^' || c == '=' || c == '/' || c == '.';
}

}  // namespace

std::string_view to_string(Side side) noexcept { return word_of(kSides, side); }
std::string_view to_string(OrderType type) noexcept { return word_of(kOrderTypes, type); }
std::string_view to_string(TimeInForce time) noexcept { return word_of(kTimesInForce, time); }
std::string_view to_string(OrderStatus status) noexcept { return word_of(kStatuses, status); }
std::string_view to_string(Interval interval) noexcept { return word_of(kIntervals, interval); }

Result<Side> parse_side(std::string_view text) { return parse_word<Side>(kSides, "a side", text); }
Result<OrderType> parse_order_type(std::string_view text) {
  return parse_word<OrderType>(kOrderTypes, "an order type", text);
}
Result<TimeInForce> parse_time_in_force(std::string_view text) {
  return parse_word<TimeInForce>(kTimesInForce, "a time in force", text);
}
Result<OrderStatus> parse_order_status(std::string_view text) {
  return parse_word<OrderStatus>(kStatuses, "an order status", text);
}
Result<Interval> parse_interval(std::string_view text) {
  return parse_word<Interval>(kIntervals, "a bar interval", text);
}

double bars_per_year(Interval interval) noexcept {
  switch (interval) {
    case Interval::minute:
      return 252.0 * 390.0;
    case Interval::hour:
      return 252.0 * 6.5;
    case Interval::day:
      return 252.0;
    case Interval::week:
      return 52.0;
    case Interval::month:
      return 12.0;
  }
  return 252.0;
}

Result<VtSymbol> VtSymbol::parse(std::string_view text) {
  const auto bad = [&](std::string_view why) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("'{}' is not a symbol of the form TICKER.EXCHANGE: {}",
                            text.substr(0, 64), why));
  };
  if (text.size() > 32) return bad("more than 32 characters");
  const std::size_t point = text.rfind('.');
  if (point == std::string_view::npos) return bad("it has no point");
  if (point == 0 || point + 1 == text.size()) return bad("one side of the point is empty");
  for (const char c : text) {
    if (!is_symbol_character(c)) return bad("only letters, digits and . - _ ^ = / are allowed");
  }
  return VtSymbol(std::string(text));
}

std::string_view VtSymbol::ticker() const noexcept {
  return std::string_view(text_).substr(0, text_.rfind('.'));
}

std::string_view VtSymbol::exchange() const noexcept {
  const std::size_t point = text_.rfind('.');
  return point == std::string::npos ? std::string_view()
                                    : std::string_view(text_).substr(point + 1);
}

Result<void> validate(const OrderRequest& request) {
  const auto bad = [](std::string message) -> Result<void> {
    return fail(ErrorCode::invalid_argument, std::move(message));
  };
  if (request.client_id.value.empty() || request.client_id.value.size() > 128) {
    return bad("client order id must have 1 to 128 characters");
  }
  if (request.symbol.empty()) return bad("symbol is missing");
  if (!request.quantity.is_positive()) {
    return bad("quantity is " + request.quantity.to_string() + ", must be more than 0");
  }
  const bool needs_limit =
      request.type == OrderType::limit || request.type == OrderType::stop_limit;
  const bool needs_stop = request.type == OrderType::stop || request.type == OrderType::stop_limit;
  const auto check = [&](const std::optional<Price>& price, bool needed, std::string_view name) {
    const std::string type(to_string(request.type));
    if (needed && !price) return std::string(name) + " is missing for a " + type + " order";
    if (!needed && price) return std::string(name) + " means nothing for a " + type + " order";
    if (price && !price->is_positive()) {
      return std::string(name) + " is " + price->to_string() + ", must be more than 0";
    }
    return std::string();
  };
  if (std::string why = check(request.limit_price, needs_limit, "limit_price"); !why.empty()) {
    return bad(std::move(why));
  }
  if (std::string why = check(request.stop_price, needs_stop, "stop_price"); !why.empty()) {
    return bad(std::move(why));
  }
  return {};
}

}  // namespace alphaswarm::trading
