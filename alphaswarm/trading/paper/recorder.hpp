#pragma once

// The rows of a session, collected during a bar and written together at its end.

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "alphaswarm/observability/tracing.hpp"
#include "alphaswarm/persistence/database.hpp"
#include "alphaswarm/persistence/fill_repository.hpp"
#include "alphaswarm/persistence/ledger_repository.hpp"
#include "alphaswarm/persistence/order_repository.hpp"
#include "alphaswarm/persistence/run_repository.hpp"
#include "alphaswarm/persistence/signal_repository.hpp"
#include "alphaswarm/trading/market/types.hpp"
#include "alphaswarm/trading/strategy/decision_loop.hpp"

namespace alphaswarm::trading::paper {

// Ids of ledger lines and signals are made of run, bar and place, and executions have theirs, so
// that a bar that is worked on again after a resume leaves the same rows, not more.
class Recorder {
 public:
  Recorder(persistence::Database& database, std::string run_id)
      : database_(database), run_id_(std::move(run_id)) {}

  // For a run that is resumed: what an earlier life wrote is not written again.
  [[nodiscard]] Result<void> load_known();

  static constexpr std::int64_t kAfterBars = -1;  // the lines of the session's end
  void begin_bar(std::int64_t bar_index);
  void order(persistence::OrderRow row);  // replaces an earlier version of the bar
  void fill(persistence::FillRow row);
  // Where a ledger line belongs.
  struct LineContext {
    std::string client_order_id;  // of the order it is about, or empty
    observability::SpanContext span;
    std::string_view strategy;  // of a signal, like the rest
    std::string_view symbol;
    std::string_view side;
    std::optional<double> strength;
  };
  // Signals also get their row in table signals. The row as it will be written.
  persistence::LedgerRow ledger(const LedgerLine& line, const LineContext& context);

  // Whether an order or a fill waits to be written.
  [[nodiscard]] bool has_orders() const noexcept { return !orders_.empty() || !fills_.empty(); }
  // Rows that were not written will not be.
  void forget();
  // One transaction: the rows, and the run's own if given. Nothing to write costs nothing. On an
  // error nothing was written, and the rows stay for the next try.
  [[nodiscard]] Result<void> commit(const persistence::RunRow* run);

 private:
  [[nodiscard]] bool is_new(const std::string& id) { return known_.insert(id).second; }
  [[nodiscard]] Result<void> write(persistence::SqlExecutor& to, const persistence::RunRow* run);

  persistence::Database& database_;
  const std::string run_id_;
  std::int64_t bar_index_ = -1;
  int place_ = 0;                          // of the next ledger line within its bar
  std::unordered_set<std::string> known_;  // ids of a resumed run's ledger lines and signals
  bool resumed_ = false;
  std::vector<persistence::OrderRow> orders_;
  std::vector<persistence::FillRow> fills_;
  std::vector<persistence::LedgerRow> ledger_;
  std::vector<persistence::SignalRow> signals_;
};

}  // namespace alphaswarm::trading::paper
