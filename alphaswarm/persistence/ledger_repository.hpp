#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "alphaswarm/persistence/database.hpp"

namespace alphaswarm::persistence {

// One line of the ledger (table ledger_entries): what happened and why, for people.
struct LedgerRow {
  std::string id;               // UUID; empty: made here
  std::string run_id;           // empty for lines outside a run
  std::string client_order_id;  // of the order it is about, or empty
  std::string entry_type;       // SIGNAL, ORDER, FILL, RISK, META
  std::string level;            // info, warning, error
  std::string message;
  std::string payload_json = "{}";
  std::string trace_id;  // of the span it was written under, so that a line links to it
  std::string span_id;
  UnixNanos created_at;  // 0: now

  friend bool operator==(const LedgerRow&, const LedgerRow&) = default;
};

class LedgerRepository {
 public:
  explicit LedgerRepository(SqlExecutor& executor) noexcept : executor_(executor) {}

  [[nodiscard]] Result<void> append(const LedgerRow& row);
  // All or nothing, one statement for the observer. A line whose id is there is left alone.
  [[nodiscard]] Result<void> append(std::span<const LedgerRow> rows);
  // Newest first; lines of one instant in reverse order of writing.
  [[nodiscard]] Result<std::vector<LedgerRow>> list(std::int64_t limit);
  [[nodiscard]] Result<std::vector<LedgerRow>> for_run(std::string_view run_id, std::int64_t limit);
  [[nodiscard]] Result<std::int64_t> count_for_run(std::string_view run_id);

 private:
  SqlExecutor& executor_;
};

}  // namespace alphaswarm::persistence
