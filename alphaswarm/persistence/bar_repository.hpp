#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "alphaswarm/persistence/database.hpp"

namespace alphaswarm::persistence {

// One price bar; (vt_symbol, interval, timestamp) identifies it.
struct BarRow {
  std::string vt_symbol;  // "TICKER.EXCHANGE"
  std::string interval;   // "1d", "1m", "1mo", …
  UnixNanos timestamp;    // when the bar begins
  Decimal open, high, low, close;
  Decimal volume;
  std::optional<Decimal> adjusted_close;

  friend bool operator==(const BarRow&, const BarRow&) = default;
};

struct UpsertCounts {
  std::int64_t inserted = 0;
  std::int64_t updated = 0;    // was there with other values
  std::int64_t unchanged = 0;  // was there with the same values
};

struct BarQuery {
  std::string_view vt_symbol;
  std::string_view interval = "1d";
  UnixNanos start{};               // inclusive
  UnixNanos end{INT64_MAX};        // exclusive
  std::int64_t limit = INT64_MAX;  // the first `limit`, or the last where `latest`
  bool latest = false;
};

struct SymbolSummary {
  std::string vt_symbol;
  std::string interval;
  std::int64_t bars = 0;
  UnixNanos first, last;
};

class BarRepository {
 public:
  explicit BarRepository(SqlExecutor& executor) noexcept : executor_(executor) {}

  // Idempotent. Of rows with the same key the last one wins. All or nothing.
  [[nodiscard]] Result<UpsertCounts> upsert(std::span<const BarRow> rows);
  // Leaves alone what is there, whatever its values; how many were not. All or nothing.
  [[nodiscard]] Result<std::int64_t> insert_absent(std::span<const BarRow> rows);
  // For keys that are all new: faster, and already_exists if one is there. All or nothing.
  [[nodiscard]] Result<void> append(std::span<const BarRow> rows);
  // In order of time.
  [[nodiscard]] Result<std::vector<BarRow>> load(const BarQuery& query);
  // The one to show where none is named: days if there are any. Null: no bars of that symbol.
  [[nodiscard]] Result<std::optional<std::string>> usual_interval(std::string_view vt_symbol);
  [[nodiscard]] Result<std::int64_t> count(std::string_view vt_symbol, std::string_view interval);
  // Ordered by symbol and interval.
  [[nodiscard]] Result<std::vector<SymbolSummary>> symbols();

 private:
  SqlExecutor& executor_;
};

}  // namespace alphaswarm::persistence
