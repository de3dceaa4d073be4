#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alphaswarm/persistence/database.hpp"

namespace alphaswarm::persistence {

// One order (table orders), identified by the id its sender gave it.
struct OrderRow {
  std::string client_order_id;  // deterministic: run id + sequence
  std::string broker_order_id;  // empty until the broker has answered
  std::string run_id;           // empty for orders outside a run
  std::string venue;
  std::string vt_symbol;
  std::string side;           // buy, sell
  std::string order_type;     // market, limit, stop, stop_limit
  std::string time_in_force;  // day, gtc, ioc
  Decimal quantity;
  Decimal filled_quantity;
  std::optional<Decimal> average_price;
  std::optional<Decimal> limit_price;
  std::optional<Decimal> stop_price;
  std::string status;         // submitting, new, partial, filled, cancelled, rejected, expired
  std::string status_reason;  // why it was rejected or cancelled
  std::string trace_id;       // of its paper.session.submit_order span; empty if not traced
  std::string span_id;
  UnixNanos created_at;
  UnixNanos updated_at;

  friend bool operator==(const OrderRow&, const OrderRow&) = default;
};

class OrderRepository {
 public:
  explicit OrderRepository(SqlExecutor& executor) noexcept : executor_(executor) {}

  // already_exists if the client order id is known.
  [[nodiscard]] Result<void> insert(const OrderRow& row);
  // Inserts, or writes every column of the row with that client order id.
  [[nodiscard]] Result<void> upsert(const OrderRow& row);
  [[nodiscard]] Result<std::optional<OrderRow>> find(std::string_view client_order_id);
  // The same within a transaction, which MUST be the executor: until that ends nobody else changes
  // the row.
  [[nodiscard]] Result<std::optional<OrderRow>> find_and_lock(std::string_view client_order_id);
  // Newest first.
  [[nodiscard]] Result<std::vector<OrderRow>> list(std::int64_t limit);
  [[nodiscard]] Result<std::vector<OrderRow>> for_run(std::string_view run_id, std::int64_t limit);
  // Those that may still change (submitting, new, partial), oldest first.
  [[nodiscard]] Result<std::vector<OrderRow>> open_orders(std::string_view run_id);
  // Those at real venues that may still change (submitting, new, partial) though their run has
  // ended, oldest first.
  [[nodiscard]] Result<std::vector<OrderRow>> left_open();
  [[nodiscard]] Result<std::int64_t> count_for_run(std::string_view run_id);

 private:
  SqlExecutor& executor_;
};

}  // namespace alphaswarm::persistence
