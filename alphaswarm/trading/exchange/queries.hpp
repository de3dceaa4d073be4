#pragma once

// What the query of a request asks for; a wrong value is a refusal that names it.

#include <optional>
#include <string>
#include <vector>

#include "alphaswarm/net/http.hpp"
#include "alphaswarm/trading/exchange/account.hpp"

namespace alphaswarm::trading::exchange {

// Null if the query has none of that name.
[[nodiscard]] ApiResult<std::optional<UnixNanos>> time_param(const net::HttpRequest& request,
                                                             const char* name);
[[nodiscard]] ApiResult<std::optional<Decimal>> decimal_param(const net::HttpRequest& request,
                                                              const char* name);
[[nodiscard]] ApiResult<OrderFilter> parse_filter(const net::HttpRequest& request);
[[nodiscard]] ApiResult<HistoryQuery> parse_history(const net::HttpRequest& request);
[[nodiscard]] ApiResult<BarsQuery> parse_bars(const net::HttpRequest& request);

}  // namespace alphaswarm::trading::exchange
