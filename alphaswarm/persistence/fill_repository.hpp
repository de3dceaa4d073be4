#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "alphaswarm/persistence/database.hpp"

namespace alphaswarm::persistence {

// One execution of an order (table fills).
struct FillRow {
  std::string id;  // the broker's execution id, or empty: made here
  std::string client_order_id;
  std::string run_id;
  std::string vt_symbol;
  std::string side;
  Decimal quantity;
  Decimal price;
  Decimal commission;
  UnixNanos filled_at;   // the market's time
  std::string trace_id;  // of the order's paper.session.submit_order span
  std::string span_id;
  UnixNanos created_at;  // 0: now

  friend bool operator==(const FillRow&, const FillRow&) = default;
};

class FillRepository {
 public:
  explicit FillRepository(SqlExecutor& executor) noexcept : executor_(executor) {}

  // False if a fill of that id is already there (nothing changes then), so that an execution that
  // is reported twice counts once.
  [[nodiscard]] Result<bool> insert(const FillRow& row);
  // Newest first.
  [[nodiscard]] Result<std::vector<FillRow>> list(std::int64_t limit);
  [[nodiscard]] Result<std::vector<FillRow>> for_run(std::string_view run_id, std::int64_t limit);
  // Oldest first.
  [[nodiscard]] Result<std::vector<FillRow>> for_order(std::string_view client_order_id);
  [[nodiscard]] Result<std::int64_t> count_for_run(std::string_view run_id);

 private:
  SqlExecutor& executor_;
};

}  // namespace alphaswarm::persistence
