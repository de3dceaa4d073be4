#include "alphaswarm/trading/matching/engine.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace alphaswarm::trading {
namespace {

constexpr std::size_t kNone = static_cast<std::size_t>(-1);
const Decimal kOne = Decimal::from_integer(1);

std::int64_t utc_day(UnixNanos time) noexcept {
  constexpr std::int64_t kDay = 86'400'000'000'000;
  return time.value / kDay - (time.value % kDay < 0 ? 1 : 0);
}

Quantity remaining(const Order& order) noexcept { return order.request.quantity - order.filled; }

// At least as good as `limit` for that side.
bool as_good(Price price, Price limit, Side side) noexcept {
  return side == Side::buy ? price <= limit : price >= limit;
}

// The best price of the bar for that side: what a limit order must reach.
Price best(const Bar& bar, Side side) noexcept { return side == Side::buy ? bar.low : bar.high; }

}  // namespace

std::string_view to_string(OrderEvent event) noexcept {
  switch (event) {
    case OrderEvent::fill:
      return "fill";
    case OrderEvent::partial_fill:
      return "partial_fill";
    case OrderEvent::cancelled:
      return "cancelled";
    case OrderEvent::expired:
      return "expired";
    case OrderEvent::rejected:
      return "rejected";
  }
  return "unknown";
}

Result<void> validate(const MatchingConfig& config) {
  const auto check = [](std::string_view name, Decimal value, Decimal low, Decimal high) {
    if (value >= low && value <= high) return std::string();
    return fmt::format("{} is {}, must be {} to {}", name, value.to_string(), low.to_string(),
                       high.to_string());
  };
  const Decimal smallest = Decimal::from_units(1);
  for (const std::string& why :
       {check("initial_cash", config.initial_cash.value(), smallest,
              Decimal::from_integer(10'000'000'000)),
        check("slippage_bps", config.slippage_bps, Decimal(), Decimal::from_integer(1'000)),
        check("commission_rate", config.commission_rate, Decimal(), Decimal::from_double(0.1)),
        check("leverage", config.leverage, smallest, Decimal::from_integer(10)),
        check("max_fill_share", config.max_fill_share, smallest, kOne)}) {
    if (!why.empty()) return fail(ErrorCode::invalid_argument, why);
  }
  return {};
}

Result<MatchingEngine> MatchingEngine::create(const MatchingConfig& config) {
  return create(config, Portfolio(config.initial_cash));
}

Result<MatchingEngine> MatchingEngine::create(const MatchingConfig& config, Portfolio portfolio) {
  if (const Result<void> valid = validate(config); !valid) return std::unexpected(valid.error());
  return MatchingEngine(config, std::move(portfolio));
}

OrderId MatchingEngine::next_id() {
  const std::uint64_t seed = config_.id_seed;
  return {fmt::format("{:08x}-{:04x}-4{:03x}-8000-{:012x}", seed >> 32U, (seed >> 16U) & 0xffffU,
                      (seed >> 4U) & 0xfffU, orders_.size() + 1)};
}

Price MatchingEngine::slipped(Price price, Side side) const noexcept {
  const Decimal share = config_.slippage_bps / Decimal::from_integer(10'000);
  return price * (side == Side::buy ? kOne + share : kOne - share);
}

Price MatchingEngine::reference_price(const OrderRequest& request) const noexcept {
  if (request.limit_price) return *request.limit_price;
  if (request.stop_price) return slipped(*request.stop_price, request.side);
  const auto last = last_close_.find(request.symbol);
  return last == last_close_.end() ? Price() : slipped(last->second, request.side);
}

// What of `quantity` would open or enlarge a position, after the position and the open orders
// submitted before are served.
Quantity MatchingEngine::opening_part(const VtSymbol& symbol, Side side, Quantity quantity,
                                      std::size_t before) const noexcept {
  const Quantity held = portfolio_.quantity(symbol);
  Quantity closable;
  if (side == Side::sell && held.is_positive()) closable = held;
  if (side == Side::buy && held.is_negative()) closable = -held;
  for (const OpenOrder& open : open_) {
    if (open.index >= before) break;
    const Order& order = orders_[open.index];
    if (is_final(order.status) || order.request.side != side || order.request.symbol != symbol) {
      continue;
    }
    closable -= remaining(order);
  }
  return quantity - std::clamp(closable, Quantity(), quantity);
}

Money MatchingEngine::reserved(std::size_t except) const noexcept {
  Money total;
  for (const OpenOrder& open : open_) {
    const Order& order = orders_[open.index];
    if (open.index == except || is_final(order.status)) continue;
    const Quantity opening =
        opening_part(order.request.symbol, order.request.side, remaining(order), open.index);
    const Money notional = open.reserve_price * opening;
    total += notional + notional * config_.commission_rate;
  }
  return total;
}

Money MatchingEngine::buying_power() const noexcept {
  return portfolio_.equity() * config_.leverage - portfolio_.gross_exposure() - reserved(kNone);
}

std::optional<std::string> MatchingEngine::refusal(const OrderRequest& request, Quantity quantity,
                                                   Price price, std::size_t index) const {
  const Quantity opening = opening_part(request.symbol, request.side, quantity, index);
  if (opening.is_zero()) return std::nullopt;
  if (request.side == Side::sell && !config_.allow_short) {
    return fmt::format(
        "insufficient quantity: {} of {} {} would be sold short, which is not allowed",
        opening.to_string(), quantity.to_string(), request.symbol.text());
  }
  const Money notional = price * opening;
  const Money cost = notional + notional * config_.commission_rate;
  const Money power =
      portfolio_.equity() * config_.leverage - portfolio_.gross_exposure() - reserved(index);
  if (cost <= power) return std::nullopt;
  return fmt::format("insufficient buying power: {} {} {} at {} cost {}, {} is available",
                     to_string(request.side), opening.to_string(), request.symbol.text(),
                     price.to_string(), cost.to_string(), power.to_string());
}

Result<Order> MatchingEngine::submit(const OrderRequest& request, UnixNanos now) {
  if (const Result<void> valid = validate(request); !valid) return std::unexpected(valid.error());
  const auto [at, fresh] = by_client_id_.try_emplace(request.client_id.value, orders_.size());
  if (!fresh) {
    return fail(ErrorCode::already_exists,
                "client order id '" + request.client_id.value + "' is in use already");
  }
  Order order{.id = next_id(),
              .request = request,
              .status = OrderStatus::new_order,
              .filled = {},
              .average_price = {},
              .created = now,
              .updated = now,
              .reason = {}};
  const Price reference = reference_price(request);
  const std::size_t index = orders_.size();
  if (std::optional<std::string> why = refusal(request, request.quantity, reference, index)) {
    order.status = OrderStatus::rejected;
    order.reason = std::move(*why);
  } else {
    open_.push_back({.index = index, .reserve_price = reference});
  }
  orders_.push_back(order);
  return order;
}

Result<Order> MatchingEngine::cancel(const OrderId& id, UnixNanos now) {
  const auto at = std::ranges::find(orders_, id, &Order::id);
  if (at == orders_.end()) {
    return fail(ErrorCode::not_found, "there is no order '" + id.value.substr(0, 64) + "'");
  }
  if (is_final(at->status)) {
    return fail(ErrorCode::conflict,
                fmt::format("order '{}' is {} already", id.value, to_string(at->status)));
  }
  at->status = OrderStatus::cancelled;
  at->updated = now;
  at->reason = "cancelled by the client";
  const auto index = static_cast<std::size_t>(at - orders_.begin());
  std::erase_if(open_, [&](const OpenOrder& open) { return open.index == index; });
  return *at;
}

Result<Order> MatchingEngine::replace(const OrderId& id, const OrderRequest& request,
                                      UnixNanos now) {
  const auto at = std::ranges::find(orders_, id, &Order::id);
  if (at == orders_.end()) {
    return fail(ErrorCode::not_found, "there is no order '" + id.value.substr(0, 64) + "'");
  }
  const auto index = static_cast<std::size_t>(at - orders_.begin());
  const auto open = std::ranges::find(open_, index, &OpenOrder::index);
  if (open == open_.end()) {
    return fail(ErrorCode::conflict,
                fmt::format("order '{}' is {} already", id.value, to_string(at->status)));
  }
  // Its buying power is free for the new one; should that be refused, it takes its place again.
  const OpenOrder kept = *open;
  const auto place = open - open_.begin();
  open_.erase(open);
  Result<Order> order = submit(request, now);
  if (!order || order->status == OrderStatus::rejected) {
    open_.insert(open_.begin() + place, kept);
    if (order) {
      orders_.pop_back();
      by_client_id_.erase(request.client_id.value);
    }
    return order;
  }
  Order& old = orders_[index];
  old.status = OrderStatus::cancelled;
  old.updated = now;
  old.reason = "replaced by " + order->id.value;
  return order;
}

std::optional<MatchingEngine::Match> MatchingEngine::match(const Order& order, OpenOrder& open,
                                                           const Bar& bar) const {
  const OrderRequest& request = order.request;
  const Side side = request.side;
  const bool only_open = request.time_in_force == TimeInForce::ioc;
  Price start = bar.open;         // the price from which on a triggered order lives in this bar
  bool rest_of_bar = !only_open;  // whether the range after `start` is known to come after it
  if (request.stop_price && !open.triggered) {
    const Price stop = *request.stop_price;
    const Side against = opposite(side);  // a buy stop triggers when the price is high enough
    if (as_good(bar.open, stop, against)) {
      open.triggered = true;
    } else if (!only_open && as_good(best(bar, against), stop, against)) {
      open.triggered = true;
      start = stop;
      rest_of_bar = false;
    } else {
      return std::nullopt;
    }
  }
  if (!request.limit_price) return Match{.price = start, .slips = true};
  const Price limit = *request.limit_price;
  if (as_good(start, limit, side)) return Match{.price = start, .slips = false};
  if (rest_of_bar && as_good(best(bar, side), limit, side)) {
    return Match{.price = limit, .slips = false};
  }
  return std::nullopt;
}

void MatchingEngine::finish(Order& order, OrderStatus status, std::string reason, UnixNanos now,
                            std::vector<OrderUpdate>& updates) const {
  order.status = status;
  order.reason = std::move(reason);
  order.updated = now;
  const OrderEvent event = status == OrderStatus::expired    ? OrderEvent::expired
                           : status == OrderStatus::rejected ? OrderEvent::rejected
                                                             : OrderEvent::cancelled;
  updates.push_back({.event = event, .order = order, .fill = std::nullopt});
}

void MatchingEngine::fill(Order& order, Price price, Quantity quantity, const Bar& bar,
                          std::vector<OrderUpdate>& updates) {
  const Money notional = price * quantity;
  Fill fill{.client_id = order.request.client_id,
            .order_id = order.id,
            .symbol = order.request.symbol,
            .side = order.request.side,
            .quantity = quantity,
            .price = price,
            .commission = notional * config_.commission_rate,
            .time = bar.timestamp};
  portfolio_.apply(fill);
  order.average_price = (order.average_price * order.filled + notional) / (order.filled + quantity);
  order.filled += quantity;
  order.updated = bar.timestamp;
  const bool done = remaining(order).is_zero();
  order.status = done ? OrderStatus::filled : OrderStatus::partial;
  updates.push_back({.event = done ? OrderEvent::fill : OrderEvent::partial_fill,
                     .order = order,
                     .fill = std::move(fill)});
}

void MatchingEngine::meet(OpenOrder& open, const Bar& bar, std::vector<OrderUpdate>& updates) {
  Order& order = orders_[open.index];
  const OrderRequest& request = order.request;
  const std::int64_t day = utc_day(bar.timestamp);
  if (!open.met) {
    open.met = true;
    open.first_day = day;
  }
  const bool is_day = request.time_in_force == TimeInForce::day;
  if (is_day && day > open.first_day) {
    return finish(order, OrderStatus::expired, "its day ended", bar.timestamp, updates);
  }
  if (const std::optional<Match> found = match(order, open, bar)) {
    const Price price = found->slips ? slipped(found->price, request.side) : found->price;
    const Decimal share = -(-(request.quantity * config_.max_fill_share).value()).floor();  // ceil
    const Quantity quantity = std::min(remaining(order), Quantity(share));
    if (std::optional<std::string> why = refusal(request, quantity, price, open.index)) {
      const bool untouched = order.filled.is_zero();
      return finish(order, untouched ? OrderStatus::rejected : OrderStatus::cancelled,
                    std::move(*why), bar.timestamp, updates);
    }
    fill(order, price, quantity, bar, updates);
    if (order.status == OrderStatus::filled) return;
  }
  if (request.time_in_force == TimeInForce::ioc) {
    finish(order, OrderStatus::cancelled, "not filled at once", bar.timestamp, updates);
  } else if (is_day && config_.interval >= Interval::day) {
    finish(order, OrderStatus::expired, "its day ended", bar.timestamp, updates);
  }
}

std::vector<OrderUpdate> MatchingEngine::advance(std::span<const SymbolBar> bars) {
  std::vector<OrderUpdate> updates;
  if (!open_.empty()) {
    for (OpenOrder& open : open_) {
      const auto bar =
          std::ranges::find(bars, orders_[open.index].request.symbol, &SymbolBar::symbol);
      if (bar != bars.end()) meet(open, bar->bar, updates);
    }
    std::erase_if(open_,
                  [&](const OpenOrder& open) { return is_final(orders_[open.index].status); });
  }
  for (const SymbolBar& one : bars) {
    portfolio_.mark(one.symbol, one.bar.close);
    last_close_[one.symbol] = one.bar.close;
  }
  return updates;
}

const Order* MatchingEngine::find(const OrderId& id) const noexcept {
  const auto at = std::ranges::find(orders_, id, &Order::id);
  return at == orders_.end() ? nullptr : &*at;
}

const Order* MatchingEngine::find(const ClientOrderId& id) const noexcept {
  const auto at = by_client_id_.find(id.value);
  return at == by_client_id_.end() ? nullptr : &orders_[at->second];
}

std::vector<Order> MatchingEngine::open_orders() const {
  std::vector<Order> result;
  result.reserve(open_.size());
  for (const OpenOrder& open : open_) result.push_back(orders_[open.index]);
  return result;
}

}  // namespace alphaswarm::trading
