#pragma once

// What a strategy sees and says. A strategy decides at the close of a bar from closes up to and
// including it; what it decides is filled at the next bar's open. It keeps no state of its own
// that the slice does not give again, so a session that resumes decides as if it had never
// stopped.

#include <boost/json/fwd.hpp>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "alphaswarm/trading/market/types.hpp"

namespace alphaswarm::trading {

enum class SignalKind : std::uint8_t { enter_long, enter_short, leave };
[[nodiscard]] std::string_view to_string(SignalKind kind) noexcept;

struct Signal {
  std::size_t symbol_index = 0;  // into Slice::symbols
  SignalKind kind = SignalKind::leave;
  double score = 0;  // what was compared: z, return …; for people
};

// One symbol at the close of its bar.
struct SymbolView {
  const VtSymbol* symbol = nullptr;
  const Bar* bar = nullptr;
  std::span<const double> closes;  // oldest first, the last is bar->close
  std::int64_t bars_seen = 0;      // of this symbol, this one and the warm-up included
  std::int64_t session_bars = 0;   // the same without the warm-up
  Quantity position;               // negative: short
  bool order_open = false;         // an earlier order is not final yet: signals are ignored
};

// All symbols that have a bar at one time, in the order of their names.
struct Slice {
  UnixNanos timestamp;
  std::span<const SymbolView> symbols;
};

struct SizingConfig {
  Decimal position_pct = Decimal::from_units(Decimal::kScale / 10);  // of equity, above 0 up to 1
  bool allow_short = false;
};

// Whole shares worth `position_pct` of `equity` at `price`, rounded down; 0 if equity is not
// positive.
[[nodiscard]] Quantity size_order(const SizingConfig& config, Money equity, Price price) noexcept;

class Strategy {
 public:
  virtual ~Strategy() = default;
  [[nodiscard]] virtual std::string_view name() const noexcept = 0;
  // Closes it must be shown to decide.
  [[nodiscard]] virtual std::size_t required_history() const noexcept = 0;
  // Appends at most one signal a symbol, two where a position turns over (leave, then enter).
  virtual void on_bar(const Slice& slice, std::vector<Signal>& signals) = 0;

  [[nodiscard]] const SizingConfig& sizing() const noexcept { return sizing_; }

 protected:
  explicit Strategy(const SizingConfig& sizing) : sizing_(sizing) {}

 private:
  SizingConfig sizing_;
};

// `name` is mean_reversion, buy_and_hold, sma_cross, ema_cross or momentum. All take `position_pct`
// (0.10) and `allow_short` (false); the others are in each strategy's file. An unknown name or
// parameter, or an impossible value, is invalid_argument: one sentence with name, value and what is
// allowed.
[[nodiscard]] Result<std::unique_ptr<Strategy>> make_strategy(std::string_view name,
                                                              const boost::json::object& params);
[[nodiscard]] std::span<const std::string_view> strategy_names() noexcept;

}  // namespace alphaswarm::trading
