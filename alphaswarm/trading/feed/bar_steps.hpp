#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "alphaswarm/trading/market/types.hpp"

namespace alphaswarm::trading {

// The bars of one instant, sorted by symbol.
struct BarStep {
  UnixNanos time;
  std::vector<SymbolBar> bars;
};

// Puts single bars together into steps of time. However often a bar comes, by whichever way, it is
// in one step, and steps come in order of time. Not thread-safe.
class BarSteps {
 public:
  // `symbols`: how many a full step has. Bars up to and including `after` are not wanted.
  BarSteps(std::size_t symbols, UnixNanos after, std::int64_t grace_ns)
      : symbols_(symbols), taken_(after), grace_ns_(grace_ns) {}

  // False, and nothing changes, if it was there before or its step has been taken.
  bool add(const SymbolBar& one, std::int64_t now_ns);
  // The oldest step, once it is full, a later bar is here, or everything until `grace` after its
  // first bar has been asked for: a symbol that did not trade has none. `known_ns` is until when
  // whatever the market said is known.
  [[nodiscard]] std::optional<BarStep> take(std::int64_t known_ns);
  // Of the step that was taken last, or where it began: what is not newer is not wanted.
  [[nodiscard]] UnixNanos taken() const noexcept { return taken_; }
  [[nodiscard]] std::size_t waiting() const noexcept { return steps_.size(); }

 private:
  struct Waiting {
    std::int64_t since_ns;
    std::vector<SymbolBar> bars;
  };
  std::size_t symbols_;
  UnixNanos taken_;
  std::int64_t grace_ns_;
  std::map<UnixNanos, Waiting> steps_;
};

}  // namespace alphaswarm::trading
