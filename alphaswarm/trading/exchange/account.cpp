#include "alphaswarm/trading/exchange/account.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/serialize.hpp>

#include "alphaswarm/base/ids.hpp"
#include "alphaswarm/trading/broker/named_uuid.hpp"

namespace alphaswarm::trading::exchange {

namespace json = boost::json;

namespace {
constexpr std::int64_t kDay = 86'400'000'000'000;
}

Result<std::shared_ptr<Account>> Account::create(std::string key_id, const MatchingConfig& config,
                                                 const AccountBounds& bounds,
                                                 std::optional<Restored> restored) {
  auto engine = restored ? MatchingEngine::create(config, restored->portfolio)
                         : MatchingEngine::create(config);
  if (!engine) return std::unexpected(engine.error());
  // Not make_shared: the constructor is private.
  std::shared_ptr<Account> account(new Account(std::move(key_id), std::move(*engine), bounds));
  if (restored) {
    std::ignore = account->engine_.advance(restored->bars);  // no orders yet: only marks
    for (const SymbolBar& last : restored->bars) {
      account->list(last.symbol, restored->bar_index, last.bar);
    }
  }
  account->day_start_ = account->engine_.portfolio().equity();
  return account;
}

UnixNanos Account::now() const noexcept { return time_.value != 0 ? time_ : now_unix(); }

// By its full name; a ticker alone is enough where only one listed symbol has it.
ApiResult<VtSymbol> Account::listed(std::string_view symbol) const {
  const VtSymbol* found = nullptr;
  for (const auto& [name, listing] : listings_) {
    if (name.text() == symbol || named_uuid(name.text()) == symbol) return name;
    if (name.ticker() != symbol) continue;
    if (found != nullptr) {
      return unprocessable(
          fmt::format("symbol \"{}\" is traded at more than one exchange: say {} "
                      "or {}",
                      symbol, found->text(), name.text()));
    }
    found = &name;
  }
  if (found != nullptr) return *found;
  return missing(fmt::format("asset not found for {}", symbol.substr(0, 64)));
}

ApiResult<json::object> Account::submit(std::string_view body) {
  ApiResult<OrderBody> parsed = parse_order(body);
  if (!parsed) return std::unexpected(std::move(parsed.error()));
  const std::scoped_lock lock(mutex_);
  if (unopened()) return not_opened();
  ApiResult<VtSymbol> symbol = listed(parsed->symbol);
  if (!symbol) return unprocessable(symbol.error().message);
  parsed->request.symbol = std::move(*symbol);
  return place(parsed->request);
}

// A request that comes again because its answer was lost is told so before all else.
ApiResult<void> Account::may_place(const OrderRequest& request) const {
  if (engine_.find(request.client_id) != nullptr) {
    return unprocessable("client_order_id must be unique");
  }
  const json::value* suspended = settings_.if_contains("suspend_trade");
  if (suspended != nullptr && suspended->is_bool() && suspended->get_bool()) {
    return forbidden("trading is suspended in the account's configuration");
  }
  if (engine_.orders().size() >= bounds_.max_orders) {
    return forbidden(fmt::format("this account has had its {} orders", bounds_.max_orders));
  }
  return {};
}

ApiResult<json::object> Account::place(const OrderRequest& request) {
  if (const ApiResult<void> may = may_place(request); !may) return std::unexpected(may.error());
  const Result<Order> order = engine_.submit(request, now());
  if (!order) return unprocessable(order.error().message);
  if (order->status == OrderStatus::rejected) {
    publish("rejected", *order);
    return forbidden(order->reason);
  }
  publish("new", *order);
  return order_json(*order);
}

ApiResult<json::object> Account::order(std::string_view id) const {
  const std::scoped_lock lock(mutex_);
  const Order* order = engine_.find(OrderId{std::string(id)});
  if (order == nullptr) return missing(fmt::format("order not found for {}", id.substr(0, 64)));
  return shape(*order);
}

ApiResult<json::object> Account::order_by_client_id(std::string_view id) const {
  const std::scoped_lock lock(mutex_);
  const Order* order = engine_.find(ClientOrderId{std::string(id)});
  if (order == nullptr) return missing(fmt::format("order not found for {}", id.substr(0, 128)));
  return shape(*order);
}

json::array Account::orders(const OrderFilter& filter) const {
  const auto matches = [&filter](const Order& order) {
    const bool open = !is_final(order.status);
    if (filter.state == OrderFilter::State::open && !open) return false;
    if (filter.state == OrderFilter::State::closed && open) return false;
    if (filter.after && order.created <= *filter.after) return false;
    if (filter.until && order.created >= *filter.until) return false;
    if (filter.side && order.request.side != *filter.side) return false;
    if (filter.symbols.empty()) return true;
    const VtSymbol& symbol = order.request.symbol;
    return std::ranges::any_of(filter.symbols, [&](const std::string& wanted) {
      return wanted == symbol.text() || wanted == symbol.ticker();
    });
  };
  json::array found;
  const std::scoped_lock lock(mutex_);
  const std::vector<Order>& all = engine_.orders();
  for (std::size_t i = 0; i < all.size() && found.size() < filter.limit; ++i) {
    const Order& order = filter.ascending ? all[i] : all[all.size() - 1 - i];
    if (matches(order)) found.emplace_back(shape(order));
  }
  return found;
}

ApiResult<json::object> Account::cancel(std::string_view id) {
  const std::scoped_lock lock(mutex_);
  const Result<Order> order = engine_.cancel(OrderId{std::string(id)}, now());
  if (!order) {
    if (order.error().code == ErrorCode::not_found) {
      return missing(fmt::format("order not found for {}", id.substr(0, 64)));
    }
    return wrong_state(order.error().message);
  }
  publish("canceled", *order);
  return order_json(*order);
}

json::array Account::cancel_all() {
  json::array cancelled;
  const std::scoped_lock lock(mutex_);
  for (const Order& open : engine_.open_orders()) {
    const Result<Order> order = engine_.cancel(open.id, now());
    if (!order) continue;
    publish("canceled", *order);
    cancelled.push_back(json::object{{"id", order->id.value}, {"status", 200}});
  }
  return cancelled;
}

json::object Account::account() const {
  const std::scoped_lock lock(mutex_);
  return account_json(key_id_, engine_, day_start_);
}

json::array Account::positions() const {
  json::array all;
  const std::scoped_lock lock(mutex_);
  for (const Position& position : engine_.portfolio().positions()) {
    if (position.quantity.is_zero()) continue;
    all.emplace_back(position_json(position, available(position.symbol)));
  }
  return all;
}

ApiResult<json::object> Account::position(std::string_view symbol) const {
  const std::scoped_lock lock(mutex_);
  const ApiResult<VtSymbol> name = listed(symbol);
  const Position* position = name ? engine_.portfolio().find(*name) : nullptr;
  if (position == nullptr || position->quantity.is_zero()) {
    return missing("position does not exist");
  }
  return position_json(*position, available(*name));
}

ApiResult<json::object> Account::close_position(std::string_view symbol,
                                                std::optional<Decimal> quantity,
                                                std::optional<Decimal> percent) {
  const std::scoped_lock lock(mutex_);
  const ApiResult<VtSymbol> name = listed(symbol);
  const Quantity held = name ? engine_.portfolio().quantity(*name) : Quantity();
  if (held.is_zero()) return missing("position does not exist");
  if (quantity && percent) return unprocessable("give qty or percentage, not both");
  Quantity part = held.absolute();
  if (quantity) part = Quantity(*quantity);
  if (percent) {
    const Decimal hundred = Decimal::from_integer(100);
    const bool whole = part.value().floor() == part.value();
    const Decimal share = part.value() * *percent / hundred;
    if (*percent > hundred) return unprocessable("percentage must be above 0 and at most 100");
    if (*percent != hundred) part = Quantity(whole ? share.floor() : share);
  }
  if (!part.is_positive() || part > held.absolute()) {
    return unprocessable(
        fmt::format("{} of a position of {} cannot be closed", part.to_string(), held.to_string()));
  }
  return sell_off(*name, held.is_negative() ? -part : part);
}

// What open orders that close the position leave of it.
Quantity Account::available(const VtSymbol& symbol) const {
  const Quantity held = engine_.portfolio().quantity(symbol);
  const Side closing = held.is_negative() ? Side::buy : Side::sell;
  Quantity free = held.absolute();
  for (const Order& order : engine_.open_orders()) {
    if (order.request.symbol != symbol || order.request.side != closing) continue;
    free -= order.request.quantity - order.filled;
  }
  return std::max(free, Quantity());
}

ApiResult<json::object> Account::sell_off(const VtSymbol& symbol, Quantity held) {
  const Quantity free = available(symbol);
  if (held.absolute() > free) {
    return forbidden(
        fmt::format("insufficient qty available for order (requested: {}, available: {})",
                    held.absolute().to_string(), free.to_string()));
  }
  OrderRequest request;
  request.client_id.value = random_uuid();
  request.symbol = symbol;
  request.side = held.is_positive() ? Side::sell : Side::buy;
  request.quantity = held.absolute();
  return place(request);
}

json::array Account::close_all_positions() {
  json::array closed;
  const std::scoped_lock lock(mutex_);
  for (const Position& position : engine_.portfolio().positions()) {
    if (position.quantity.is_zero()) continue;
    ApiResult<json::object> order = sell_off(position.symbol, position.quantity);
    json::value body(nullptr);
    if (order) {
      body = std::move(*order);
    } else {
      body = json::object{{"code", order.error().code}, {"message", order.error().message}};
    }
    closed.push_back(json::object{{"symbol", position.symbol.text()},
                                  {"status", order ? 200 : order.error().status},
                                  {"body", std::move(body)}});
  }
  return closed;
}

json::array Account::assets() const {
  json::array all;
  const std::scoped_lock lock(mutex_);
  for (const auto& [symbol, listing] : listings_) {
    all.emplace_back(asset_json(symbol, engine_.config().allow_short));
  }
  return all;
}

ApiResult<json::object> Account::asset(std::string_view symbol) const {
  const std::scoped_lock lock(mutex_);
  const ApiResult<VtSymbol> name = listed(symbol);
  if (!name) return std::unexpected(name.error());
  return asset_json(*name, engine_.config().allow_short);
}

json::object Account::clock() const {
  const std::scoped_lock lock(mutex_);
  const UnixNanos time = now();
  const std::int64_t midnight = time.value - time.value % kDay;
  // Open around the clock: the replay decides when there is trading.
  return {{"timestamp", to_rfc3339(time)},
          {"is_open", true},
          {"next_open", to_rfc3339({midnight + kDay})},
          {"next_close", to_rfc3339({midnight + kDay})}};
}

void Account::mark_opened() {
  const std::scoped_lock lock(mutex_);
  opened_ = true;
}

std::int64_t Account::last_bar_index() const {
  const std::scoped_lock lock(mutex_);
  return last_index_;
}

bool Account::used() const {
  const std::scoped_lock lock(mutex_);
  return last_index_ >= 0 || !engine_.orders().empty();
}

}  // namespace alphaswarm::trading::exchange
