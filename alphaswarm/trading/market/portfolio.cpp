#include "alphaswarm/trading/market/portfolio.hpp"

#include <algorithm>
#include <utility>

namespace alphaswarm::trading {
namespace {

struct BySymbol {
  bool operator()(const Position& position, const VtSymbol& symbol) const noexcept {
    return position.symbol < symbol;
  }
};

}  // namespace

Portfolio::Portfolio(Money cash, std::vector<Position> positions, Money commissions)
    : cash_(cash), commissions_(commissions), positions_(std::move(positions)) {
  std::ranges::sort(positions_, {}, &Position::symbol);
}

const Position* Portfolio::find(const VtSymbol& symbol) const noexcept {
  const auto at = std::lower_bound(positions_.begin(), positions_.end(), symbol, BySymbol{});
  return at != positions_.end() && at->symbol == symbol ? &*at : nullptr;
}

Quantity Portfolio::quantity(const VtSymbol& symbol) const noexcept {
  const Position* const position = find(symbol);
  return position != nullptr ? position->quantity : Quantity();
}

Position& Portfolio::position_for(const Fill& fill) {
  const auto at = std::lower_bound(positions_.begin(), positions_.end(), fill.symbol, BySymbol{});
  if (at != positions_.end() && at->symbol == fill.symbol) return *at;
  Position fresh;
  fresh.symbol = fill.symbol;
  return *positions_.insert(at, std::move(fresh));
}

void Portfolio::apply(const Fill& fill) {
  Position& position = position_for(fill);
  const Quantity change = fill.side == Side::buy ? fill.quantity : -fill.quantity;
  cash_ -= fill.price * change;
  cash_ -= fill.commission;
  commissions_ += fill.commission;

  const Quantity before = position.quantity;
  const Quantity after = before + change;
  const bool reduces = !before.is_zero() && before.is_negative() != change.is_negative();
  if (reduces) {
    const Quantity closed = std::min(before.absolute(), change.absolute());
    const Quantity closed_signed = before.is_negative() ? -closed : closed;
    position.realised += (fill.price - position.average_cost) * closed_signed;
  }
  if (after.is_zero()) {
    position.average_cost = Price();
  } else if (!reduces) {
    const Money cost = position.average_cost * before.absolute() + fill.price * fill.quantity;
    position.average_cost = cost / after.absolute();
  } else if (after.is_negative() != before.is_negative()) {
    position.average_cost = fill.price;  // turned over: what is open now was opened by this fill
  }
  position.quantity = after;
  position.mark = fill.price;
}

void Portfolio::mark(const VtSymbol& symbol, Price price) noexcept {
  const auto at = std::lower_bound(positions_.begin(), positions_.end(), symbol, BySymbol{});
  if (at != positions_.end() && at->symbol == symbol) at->mark = price;
}

Money Portfolio::equity() const noexcept {
  Money total = cash_;
  for (const Position& position : positions_) {
    if (!position.quantity.is_zero()) total += position.value();
  }
  return total;
}

Money Portfolio::gross_exposure() const noexcept {
  Money total;
  for (const Position& position : positions_) {
    if (!position.quantity.is_zero()) total += position.value().absolute();
  }
  return total;
}

Money Portfolio::realised() const noexcept {
  Money total = -commissions_;
  for (const Position& position : positions_) total += position.realised;
  return total;
}

}  // namespace alphaswarm::trading
