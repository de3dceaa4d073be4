#include "alphaswarm/persistence/order_repository.hpp"

#include "alphaswarm/persistence/columns.hpp"

namespace alphaswarm::persistence {

template <>
struct detail::Table<OrderRow> {
  static constexpr std::string_view kName = "orders";
  static constexpr std::string_view kKey = "client_order_id";
  template <class Self, class Visit>
  static void columns(Self& row, Visit&& visit) {
    visit("client_order_id", row.client_order_id);
    visit("broker_order_id", row.broker_order_id);
    visit("run_id", row.run_id);
    visit("venue", row.venue);
    visit("vt_symbol", row.vt_symbol);
    visit("side", row.side);
    visit("order_type", row.order_type);
    visit("time_in_force", row.time_in_force);
    visit("quantity", row.quantity);
    visit("filled_quantity", row.filled_quantity);
    visit("average_price", row.average_price);
    visit("limit_price", row.limit_price);
    visit("stop_price", row.stop_price);
    visit("status", row.status);
    visit("status_reason", row.status_reason);
    visit("trace_id", row.trace_id);
    visit("span_id", row.span_id);
    visit("created_at", row.created_at);
    visit("updated_at", row.updated_at);
  }
};

Result<void> OrderRepository::insert(const OrderRow& row) {
  return detail::insert_row(executor_, row);
}

Result<void> OrderRepository::upsert(const OrderRow& row) {
  const auto done = detail::execute_idempotent(executor_, detail::upsert_text<OrderRow>(),
                                               detail::params_of(row));
  if (!done) return std::unexpected(done.error());
  return {};
}

Result<std::optional<OrderRow>> OrderRepository::find(std::string_view client_order_id) {
  static const std::string kText = detail::select_text<OrderRow>("WHERE client_order_id = $1");
  return detail::select_one<OrderRow>(executor_, kText, {client_order_id});
}

Result<std::optional<OrderRow>> OrderRepository::find_and_lock(std::string_view client_order_id) {
  if (executor_.system() != "postgresql") return find(client_order_id);  // SQLite has one writer
  static const std::string kText =
      detail::select_text<OrderRow>("WHERE client_order_id = $1 FOR UPDATE");
  return detail::select_one<OrderRow>(executor_, kText, {client_order_id});
}

Result<std::vector<OrderRow>> OrderRepository::list(std::int64_t limit) {
  static const std::string kText = detail::select_text<OrderRow>("ORDER BY sequence DESC LIMIT $1");
  return detail::select_all<OrderRow>(executor_, kText, {limit});
}

Result<std::vector<OrderRow>> OrderRepository::for_run(std::string_view run_id,
                                                       std::int64_t limit) {
  static const std::string kText =
      detail::select_text<OrderRow>("WHERE run_id = $1 ORDER BY sequence DESC LIMIT $2");
  return detail::select_all<OrderRow>(executor_, kText, {run_id, limit});
}

Result<std::vector<OrderRow>> OrderRepository::open_orders(std::string_view run_id) {
  static const std::string kText = detail::select_text<OrderRow>(
      "WHERE run_id = $1 AND status IN ('submitting', 'new', 'partial') ORDER BY sequence");
  return detail::select_all<OrderRow>(executor_, kText, {run_id});
}

Result<std::vector<OrderRow>> OrderRepository::left_open() {
  static const std::string kText = detail::select_text<OrderRow>(
      "WHERE status IN ('submitting', 'new', 'partial') AND venue <> 'sim' AND run_id IN "
      "(SELECT id FROM paper_trading_runs WHERE status IN ('completed', 'cancelled', 'error')) "
      "ORDER BY sequence");
  return detail::select_all<OrderRow>(executor_, kText, {});
}

Result<std::int64_t> OrderRepository::count_for_run(std::string_view run_id) {
  return detail::select_count(executor_, "SELECT count(*) FROM orders WHERE run_id = $1", {run_id});
}

}  // namespace alphaswarm::persistence
