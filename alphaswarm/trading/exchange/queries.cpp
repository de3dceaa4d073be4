#include "alphaswarm/trading/exchange/queries.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <tuple>

namespace alphaswarm::trading::exchange {

namespace {

std::vector<std::string> symbols_param(const net::HttpRequest& request) {
  std::vector<std::string> list;
  const std::string symbols = request.query_param("symbols").value_or("");
  for (std::size_t start = 0; start < symbols.size();) {
    const std::size_t comma = std::min(symbols.find(',', start), symbols.size());
    if (comma > start) list.push_back(symbols.substr(start, comma - start));
    start = comma + 1;
  }
  return list;
}

struct Bound {
  const char* name;
  std::optional<UnixNanos>& to;
};

ApiResult<void> read_period(const net::HttpRequest& request, Bound from, Bound until) {
  for (const Bound& bound : {from, until}) {
    const auto time = time_param(request, bound.name);
    if (!time) return std::unexpected(time.error());
    bound.to = *time;
  }
  return {};
}

}  // namespace

ApiResult<std::optional<UnixNanos>> time_param(const net::HttpRequest& request, const char* name) {
  const auto text = request.query_param(name);
  if (!text) return std::nullopt;
  const Result<UnixNanos> time = from_rfc3339(*text);
  if (!time) return unprocessable(fmt::format("{}: {}", name, time.error().message));
  return *time;
}

ApiResult<OrderFilter> parse_filter(const net::HttpRequest& request) {
  OrderFilter filter;
  const std::string status = request.query_param("status").value_or("open");
  if (status == "closed") filter.state = OrderFilter::State::closed;
  if (status == "all") filter.state = OrderFilter::State::all;
  if (status != "open" && status != "closed" && status != "all") {
    return unprocessable(fmt::format("status must be open, closed or all, got {}", status));
  }
  if (const auto limit = request.query_param("limit")) {
    const char* const end = limit->data() + limit->size();
    const auto [stop, error] = std::from_chars(limit->data(), end, filter.limit);
    if (error != std::errc() || stop != end || filter.limit < 1 || filter.limit > 500) {
      return unprocessable(fmt::format("limit must be from 1 to 500, got {}", *limit));
    }
  }
  const std::string direction = request.query_param("direction").value_or("desc");
  if (direction != "asc" && direction != "desc") {
    return unprocessable(fmt::format("direction must be asc or desc, got {}", direction));
  }
  filter.ascending = direction == "asc";
  if (auto read = read_period(request, {"after", filter.after}, {"until", filter.until}); !read) {
    return std::unexpected(std::move(read.error()));
  }
  if (const auto side = request.query_param("side")) {
    const Result<Side> parsed = parse_side(*side);
    if (!parsed) return unprocessable(parsed.error().message);
    filter.side = *parsed;
  }
  filter.symbols = symbols_param(request);
  return filter;
}

ApiResult<HistoryQuery> parse_history(const net::HttpRequest& request) {
  HistoryQuery query;
  query.period = request.query_param("period").value_or(query.period);
  query.timeframe = request.query_param("timeframe").value_or("");
  if (auto read = read_period(request, {"start", query.start}, {"end", query.end}); !read) {
    return std::unexpected(std::move(read.error()));
  }
  return query;
}

ApiResult<BarsQuery> parse_bars(const net::HttpRequest& request) {
  BarsQuery query;
  query.symbols = symbols_param(request);
  query.timeframe = request.query_param("timeframe").value_or("");
  if (auto read = read_period(request, {"start", query.start}, {"end", query.end}); !read) {
    return std::unexpected(std::move(read.error()));
  }
  for (const auto& [name, low, high, to] :
       {std::tuple{"limit", std::size_t{1}, std::size_t{10'000}, &query.limit},
        std::tuple{"page_token", std::size_t{0}, std::size_t{1} << 40U, &query.offset}}) {
    const auto text = request.query_param(name);
    if (!text) continue;
    const char* const last = text->data() + text->size();
    const auto [stop, error] = std::from_chars(text->data(), last, *to);
    if (error != std::errc() || stop != last || *to < low || *to > high) {
      return unprocessable(fmt::format("{} must be from {} to {}", name, low, high));
    }
  }
  return query;
}

ApiResult<std::optional<Decimal>> decimal_param(const net::HttpRequest& request, const char* name) {
  const auto text = request.query_param(name);
  if (!text) return std::nullopt;
  const Result<Decimal> number = Decimal::parse(*text);
  if (!number) return unprocessable(fmt::format("{}: {}", name, number.error().message));
  return *number;
}

}  // namespace alphaswarm::trading::exchange
