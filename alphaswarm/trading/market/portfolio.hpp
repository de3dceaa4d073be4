#pragma once

// Cash and positions of one account, changed only by fills.

#include <span>
#include <vector>

#include "alphaswarm/trading/market/types.hpp"

namespace alphaswarm::trading {

struct Position {
  VtSymbol symbol;
  Quantity quantity;   // negative: short
  Price average_cost;  // of the open quantity, without commission
  Price mark;          // last known close, or the fill price before the first
  Money realised;      // profit of closed quantity, without commission

  [[nodiscard]] Money value() const noexcept { return mark * quantity; }
  [[nodiscard]] Money unrealised() const noexcept { return (mark - average_cost) * quantity; }
};

// Average-cost accounting. A buy takes price × quantity + commission from cash, a sell adds
// price × quantity − commission; shorts are negative quantities. Not thread-safe.
class Portfolio {
 public:
  explicit Portfolio(Money cash) : cash_(cash) {}
  // To continue an earlier account. Positions of one symbol must not repeat.
  Portfolio(Money cash, std::vector<Position> positions, Money commissions = {});

  void apply(const Fill& fill);
  // New prices for positions held; symbols without a position are ignored.
  void mark(const VtSymbol& symbol, Price price) noexcept;

  [[nodiscard]] Money cash() const noexcept { return cash_; }
  [[nodiscard]] Money equity() const noexcept;          // cash + Σ mark × quantity
  [[nodiscard]] Money gross_exposure() const noexcept;  // Σ |mark × quantity|
  [[nodiscard]] Money realised() const noexcept;        // Σ of positions, minus all commissions
  [[nodiscard]] Money commissions() const noexcept { return commissions_; }
  // Sorted by symbol; closed ones stay, with quantity 0.
  [[nodiscard]] std::span<const Position> positions() const noexcept { return positions_; }
  [[nodiscard]] const Position* find(const VtSymbol& symbol) const noexcept;
  [[nodiscard]] Quantity quantity(const VtSymbol& symbol) const noexcept;

 private:
  Position& position_for(const Fill& fill);

  Money cash_;
  Money commissions_;
  std::vector<Position> positions_;
};

}  // namespace alphaswarm::trading
