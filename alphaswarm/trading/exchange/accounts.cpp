#include "alphaswarm/trading/exchange/accounts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <functional>

#include "alphaswarm/base/ids.hpp"

namespace alphaswarm::trading::exchange {

namespace json = boost::json;

namespace {

constexpr std::size_t kMaxKeySize = 128;

bool same_terms(const MatchingConfig& a, const MatchingConfig& b) {
  return a.initial_cash == b.initial_cash && a.slippage_bps == b.slippage_bps &&
         a.commission_rate == b.commission_rate && a.leverage == b.leverage &&
         a.allow_short == b.allow_short && a.max_fill_share == b.max_fill_share &&
         a.interval == b.interval;
}

// A wrong field of a request, thrown within this file only: it keeps the readers below short.
struct Wrong {
  std::string message;
};

Decimal decimal(const json::object& object, std::string_view key, Decimal fallback) {
  const json::value* value = object.if_contains(key);
  if (value == nullptr || value->is_null()) return fallback;
  const Result<Decimal> number = to_decimal(*value);
  if (!number) throw Wrong{fmt::format("{}: {}", key, number.error().message)};
  return *number;
}

const json::array& array(const json::object& object, std::string_view key) {
  static const json::array empty;
  const json::value* value = object.if_contains(key);
  if (value == nullptr || value->is_null()) return empty;
  if (!value->is_array()) throw Wrong{fmt::format("{} must be a list", key)};
  return value->get_array();
}

VtSymbol symbol(const json::object& object) {
  const json::value* value = object.if_contains("symbol");
  if (value == nullptr || !value->is_string()) throw Wrong{"symbol is required"};
  Result<VtSymbol> name = VtSymbol::parse(value->get_string());
  if (!name) throw Wrong{name.error().message};
  return std::move(*name);
}

MatchingConfig terms(const json::object& object, MatchingConfig config) {
  config.initial_cash = Money(decimal(object, "cash", config.initial_cash.value()));
  config.slippage_bps = decimal(object, "slippage_bps", config.slippage_bps);
  config.commission_rate = decimal(object, "commission_rate", config.commission_rate);
  config.leverage = decimal(object, "leverage", config.leverage);
  config.max_fill_share = decimal(object, "max_fill_share", config.max_fill_share);
  if (const json::value* allow = object.if_contains("allow_short")) {
    if (!allow->is_bool()) throw Wrong{"allow_short must be true or false"};
    config.allow_short = allow->get_bool();
  }
  if (const json::value* name = object.if_contains("interval")) {
    if (!name->is_string()) throw Wrong{"interval must be text"};
    const Result<Interval> interval = parse_interval(name->get_string());
    if (!interval) throw Wrong{interval.error().message};
    config.interval = *interval;
  }
  if (const Result<void> valid = validate(config); !valid) throw Wrong{valid.error().message};
  return config;
}

Restored restored(const json::object& object) {
  Restored state;
  const json::value* index = object.if_contains("bar_index");
  if (index == nullptr || !index->is_int64()) throw Wrong{"restore: bar_index is required"};
  state.bar_index = index->get_int64();
  std::vector<Position> positions;
  for (const json::value& item : array(object, "positions")) {
    if (!item.is_object()) throw Wrong{"restore: positions must hold objects"};
    const json::object& entry = item.get_object();
    Position position;
    position.symbol = symbol(entry);
    position.quantity = Quantity(decimal(entry, "qty", {}));
    position.average_cost = Price(decimal(entry, "avg_entry_price", {}));
    position.mark = Price(decimal(entry, "current_price", {}));
    position.realised = Money(decimal(entry, "realized_pl", {}));
    positions.push_back(std::move(position));
  }
  std::ranges::sort(positions, {}, &Position::symbol);
  if (std::ranges::adjacent_find(positions, {}, &Position::symbol) != positions.end()) {
    throw Wrong{"restore: a symbol has two positions"};
  }
  state.portfolio = Portfolio(Money(decimal(object, "cash", {})), std::move(positions));
  for (const json::value& item : array(object, "bars")) {
    if (!item.is_object()) throw Wrong{"restore: bars must hold objects"};
    const ApiResult<Bar> bar = parse_bar(item);
    if (!bar) throw Wrong{bar.error().message};
    state.bars.push_back({symbol(item.get_object()), *bar});
  }
  return state;
}

}  // namespace

ApiResult<OpenRequest> parse_open(std::string_view body, const MatchingConfig& defaults) {
  boost::system::error_code malformed;
  const json::value parsed = json::parse(body.empty() ? "{}" : body, malformed);
  if (malformed || !parsed.is_object()) {
    return std::unexpected(ApiError{400, 40010000, "request body must be a JSON object"});
  }
  try {
    const json::object& object = parsed.get_object();
    OpenRequest request{terms(object, defaults), std::nullopt};
    const json::value* restore = object.if_contains("restore");
    if (restore != nullptr && restore->is_object()) {
      request.restored = restored(restore->get_object());
    }
    return request;
  } catch (const Wrong& wrong) {
    return unprocessable(wrong.message);
  }
}

bool Accounts::make_room() {
  if (entries_.size() < max_accounts_) return true;
  auto oldest = entries_.end();
  for (auto entry = entries_.begin(); entry != entries_.end(); ++entry) {
    if (entry->second.closed_at == 0) continue;
    if (oldest == entries_.end() || entry->second.closed_at < oldest->second.closed_at) {
      oldest = entry;
    }
  }
  if (oldest == entries_.end()) return false;
  entries_.erase(oldest);
  return true;
}

ApiResult<std::shared_ptr<Account>> Accounts::make(std::string_view key_id, MatchingConfig config,
                                                   std::optional<Restored> restored_state) {
  if (key_id.empty() || key_id.size() > kMaxKeySize) return unauthorized();
  if (!make_room()) {
    return forbidden(fmt::format(
        "this exchange keeps at most {} open accounts: close one, or raise max_accounts",
        max_accounts_));
  }
  // Order ids of two accounts, of one before and after it was restored, and of one that begins anew
  // after this exchange was restarted must differ.
  const std::string beginning =
      restored_state ? std::to_string(restored_state->bar_index + 1) : random_uuid();
  config.id_seed = std::hash<std::string>{}(fmt::format("{}/{}", key_id, beginning));
  auto account = Account::create(std::string(key_id), config, bounds_, std::move(restored_state));
  if (!account) return unprocessable(account.error().message);
  entries_[std::string(key_id)] = Entry{*account, 0};
  return std::move(*account);
}

ApiResult<std::shared_ptr<Account>> Accounts::get(std::string_view key_id) {
  const std::scoped_lock lock(mutex_);
  const auto found = entries_.find(key_id);
  if (found != entries_.end()) return found->second.account;
  return make(key_id, defaults_, std::nullopt);
}

ApiResult<Accounts::Opened> Accounts::open(std::string_view key_id, OpenRequest request) {
  const std::scoped_lock lock(mutex_);
  const auto found = entries_.find(key_id);
  if (found != entries_.end()) {
    const std::shared_ptr<Account>& existing = found->second.account;
    const bool used = existing->used();
    // What is restored begins with its own books, whoever has made an account of the key meanwhile.
    const bool replaced = request.restored && !used;
    if (!replaced && same_terms(existing->config(), request.config)) {
      found->second.closed_at = 0;
      existing->mark_opened();
      return Opened{existing, false};
    }
    if (used) {
      return std::unexpected(
          ApiError{409, 40910000, "this account was opened with other terms and has been used"});
    }
    entries_.erase(found);
  }
  auto made = make(key_id, request.config, std::move(request.restored));
  if (!made) return std::unexpected(std::move(made.error()));
  (*made)->mark_opened();
  return Opened{std::move(*made), true};
}

void Accounts::close(std::string_view key_id) {
  const std::scoped_lock lock(mutex_);
  const auto found = entries_.find(key_id);
  if (found != entries_.end()) found->second.closed_at = ++closings_;
}

std::size_t Accounts::size() const {
  const std::scoped_lock lock(mutex_);
  return entries_.size();
}

}  // namespace alphaswarm::trading::exchange
