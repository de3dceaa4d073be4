// What an account can tell of the past and of the days: portfolio history, bars, calendar.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "alphaswarm/trading/exchange/account.hpp"

namespace alphaswarm::trading::exchange {

namespace json = boost::json;

namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kDay = 86'400 * kSecond;
constexpr std::int64_t kMaxCalendarDays = 3'660;

struct Span {
  std::string_view name;
  std::int64_t nanoseconds;
};
constexpr std::array<Span, 5> kTimeframes{{{"1Min", 60 * kSecond},
                                           {"5Min", 300 * kSecond},
                                           {"15Min", 900 * kSecond},
                                           {"1H", 3'600 * kSecond},
                                           {"1D", kDay}}};

// "3D", "2W", "1M", "1A" in nanoseconds; 0 for what is none.
std::int64_t period_of(std::string_view text) {
  if (text.size() < 2 || text.size() > 4) return 0;
  std::int64_t count = 0;
  for (const char c : text.substr(0, text.size() - 1)) {
    if (c < '0' || c > '9') return 0;
    count = count * 10 + (c - '0');
  }
  switch (text.back()) {
    case 'D':
      return count * kDay;
    case 'W':
      return count * 7 * kDay;
    case 'M':
      return count * 31 * kDay;
    case 'A':
      return count * 366 * kDay;
    default:
      return 0;
  }
}

}  // namespace

void Account::note_equity() {
  equity_.push_back({time_, engine_.portfolio().equity()});
  if (equity_.size() > bounds_.kept_equity) equity_.pop_front();
}

ApiResult<json::object> Account::portfolio_history(const HistoryQuery& query) const {
  const std::int64_t period = period_of(query.period);
  if (period == 0) {
    return unprocessable(
        fmt::format("period is {}, must be a number and D, W, M or A", query.period.substr(0, 16)));
  }
  const std::string timeframe = !query.timeframe.empty() ? query.timeframe
                                : period > 7 * kDay      ? "1D"
                                                         : "15Min";
  const auto frame = std::ranges::find(kTimeframes, timeframe, &Span::name);
  if (frame == kTimeframes.end()) {
    return unprocessable(fmt::format("timeframe is {}, must be 1Min, 5Min, 15Min, 1H or 1D",
                                     timeframe.substr(0, 16)));
  }
  const std::scoped_lock lock(mutex_);
  const UnixNanos until = query.end.value_or(UnixNanos{time_.value + 1});
  const UnixNanos from = query.start.value_or(UnixNanos{until.value - period});
  json::array times, equities, gains, shares;
  const double base = engine_.config().initial_cash.to_double();
  std::int64_t last = -1;
  for (const EquityPoint& point : equity_) {
    if (point.time < from || point.time >= until) continue;
    const std::int64_t bucket = point.time.value / frame->nanoseconds;
    const double equity = point.equity.to_double();
    if (bucket != last) {
      times.emplace_back(bucket * (frame->nanoseconds / kSecond));
      for (json::array* list : {&equities, &gains, &shares}) list->emplace_back(0.0);
    }
    last = bucket;
    equities.back() = equity;  // the last one within the bucket
    gains.back() = equity - base;
    shares.back() = (equity - base) / base;
  }
  return json::object{{"timestamp", std::move(times)},
                      {"equity", std::move(equities)},
                      {"profit_loss", std::move(gains)},
                      {"profit_loss_pct", std::move(shares)},
                      {"base_value", base},
                      {"timeframe", timeframe}};
}

// The bars of the last steps, by symbol and time: what a market-data service would say of them.
ApiResult<json::object> Account::bars(const BarsQuery& query) const {
  const std::scoped_lock lock(mutex_);
  if (query.timeframe != "1Day" && query.timeframe != "1Min" && query.timeframe != "1Hour" &&
      query.timeframe != "1Week" && query.timeframe != "1Month") {
    return std::unexpected(ApiError{
        400, 40010000, fmt::format("invalid timeframe: {}", query.timeframe.substr(0, 16))});
  }
  json::object all;
  std::size_t skip = query.offset, count = 0;
  bool more = false;
  for (const std::string& wanted : query.symbols) {
    const ApiResult<VtSymbol> symbol = listed(wanted);
    if (!symbol) continue;  // Alpaca leaves out what it has nothing of
    for (const Step& step : steps_) {
      const auto one = std::ranges::find(step.bars, *symbol, &SymbolBar::symbol);
      if (one == step.bars.end()) continue;
      const UnixNanos time = one->bar.timestamp;
      if ((query.start && time < *query.start) || (query.end && time > *query.end)) continue;
      if (skip > 0) {
        --skip;
        continue;
      }
      if (count == query.limit) {
        more = true;
        break;
      }
      ++count;
      if (!all.contains(wanted)) all[wanted] = json::array();
      all[wanted].as_array().push_back(market_bar_json(one->bar));
    }
  }
  json::value token(nullptr);
  if (more) token = std::to_string(query.offset + count);
  return json::object{{"bars", std::move(all)}, {"next_page_token", std::move(token)}};
}

// Every UTC day is a trading day: the replay decides when there is trading.
ApiResult<json::array> Account::calendar(std::optional<UnixNanos> start,
                                         std::optional<UnixNanos> end) const {
  const std::scoped_lock lock(mutex_);
  const std::int64_t first = (start ? start->value : now().value) / kDay;
  const std::int64_t last = end ? end->value / kDay : first + 30;
  if (last - first >= kMaxCalendarDays) {
    return unprocessable(fmt::format("a calendar has at most {} days", kMaxCalendarDays));
  }
  json::array days;
  for (std::int64_t day = first; day <= last; ++day) {
    const std::string date = to_rfc3339({day * kDay}).substr(0, 10);
    days.push_back(json::object{{"date", date},
                                {"open", "00:00"},
                                {"close", "23:59"},
                                {"session_open", "0000"},
                                {"session_close", "2359"},
                                {"settlement_date", date}});
  }
  return days;
}

}  // namespace alphaswarm::trading::exchange
