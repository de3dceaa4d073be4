#pragma once

#include <span>
#include <string>
#include <vector>

#include "alphaswarm/trading/market/types.hpp"

namespace alphaswarm::trading {

// Bars of one symbol, in order of time, no timestamp twice.
struct Series {
  VtSymbol symbol;
  std::vector<Bar> bars;
};

// What a run is computed from: series sorted by symbol, no symbol twice, one interval.
struct Dataset {
  Interval interval = Interval::day;
  std::vector<Series> series;

  [[nodiscard]] std::size_t bars_count() const noexcept;
};

// Sorts series and bars. Errors: invalid_argument if a symbol or a timestamp is there twice.
[[nodiscard]] Result<void> normalise(Dataset& dataset);

// SHA-256, in hex, of the bars as text: for each symbol and bar in order, one line
//   TICKER.EXCHANGE,interval,timestamp in ns,open,high,low,close,volume
// ending in "\n", numbers in their shortest exact form ("12.5"). Whoever has the data can check it.
[[nodiscard]] std::string dataset_sha256(const Dataset& dataset);

// Goes through a data set in steps of time: at each, the bars of all symbols that have one then.
class TimeSteps {
 public:
  explicit TimeSteps(const Dataset& dataset);

  // False at the end. What step() gives lives until the next call.
  [[nodiscard]] bool next();
  [[nodiscard]] UnixNanos time() const noexcept { return time_; }
  [[nodiscard]] std::span<const SymbolBar> bars() const noexcept { return current_; }

 private:
  const std::vector<Series>& series_;
  std::vector<std::size_t> at_;
  std::vector<SymbolBar> all_;   // one slot a series: the usual step fills every one
  std::vector<SymbolBar> some_;  // a step that lacks some symbols
  std::span<const SymbolBar> current_;
  UnixNanos time_;
};

}  // namespace alphaswarm::trading
