#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alphaswarm/persistence/database.hpp"

namespace alphaswarm::persistence {

// What a strategy wanted at a bar's close (table signals), whether or not an order came of it.
struct SignalRow {
  std::string id;  // UUID; empty: made here
  std::string run_id;
  std::string strategy;
  std::string vt_symbol;
  UnixNanos bar_time;
  std::string side;                // buy, sell
  std::optional<double> strength;  // the strategy's own measure, e.g. the z-score
  std::string reason;
  std::string trace_id;
  std::string span_id;
  UnixNanos created_at;  // 0: now

  friend bool operator==(const SignalRow&, const SignalRow&) = default;
};

class SignalRepository {
 public:
  explicit SignalRepository(SqlExecutor& executor) noexcept : executor_(executor) {}

  // Does nothing if the id is there.
  [[nodiscard]] Result<void> append(const SignalRow& row);
  // Newest first.
  [[nodiscard]] Result<std::vector<SignalRow>> for_run(std::string_view run_id, std::int64_t limit);
  [[nodiscard]] Result<std::int64_t> count_for_run(std::string_view run_id);

 private:
  SqlExecutor& executor_;
};

}  // namespace alphaswarm::persistence
