#include "alphaswarm/trading/paper/order_change.hpp"

#include <utility>

#include "alphaswarm/persistence/fill_repository.hpp"
#include "alphaswarm/trading/broker/order_news.hpp"
#include "alphaswarm/trading/paper/order_tracker.hpp"

namespace alphaswarm::trading::paper {

using persistence::Database;
using persistence::Effects;
using persistence::OrderRepository;
using persistence::OrderRow;
using persistence::SqlExecutor;

namespace {

// Looks come in any order. Less filled is older; and what the venue has called ended stays so. An
// end without the venue's id was concluded here, so the venue's word is better.
void take_over(OrderRow& row, const Order& before, const Order& told) {
  const bool older = told.filled < before.filled;
  const bool ended = is_final(before.status) && !row.broker_order_id.empty();
  const bool ends = is_final(told.status);
  const OrderRow known = row;
  update_row(row, told);
  if (older) {
    row.filled_quantity = known.filled_quantity;
    row.average_price = known.average_price;
  }
  if (ended ? older || !ends : older && !ends) {
    row.status = known.status;
    row.status_reason = known.status_reason;
  }
}

bool differ(const OrderRow& a, OrderRow b) {
  b.updated_at = a.updated_at;
  return a != b;
}

Result<std::optional<KeptOrder>> keep(SqlExecutor& to, std::string_view client_order_id,
                                      const BrokerUpdate& told) {
  OrderRepository orders(to);
  Result<std::optional<OrderRow>> found = orders.find_and_lock(client_order_id);
  if (!found) return std::unexpected(found.error());
  if (!*found) return std::nullopt;
  KeptOrder kept{.row = std::move(**found), .news = {}};
  const Result<Order> before = order_of(kept.row);
  if (!before) return std::unexpected(before.error());
  kept.news = order_news(*before, told);
  persistence::FillRepository fills(to);
  for (const BrokerUpdate& update : kept.news) {
    if (!update.fill) continue;
    const Result<bool> done =
        fills.insert(make_fill_row(kept.row, *update.fill, update.execution_id));
    if (!done) return std::unexpected(done.error());
  }
  const OrderRow known = kept.row;
  take_over(kept.row, *before, told.order);
  if (!differ(known, kept.row)) return kept;
  if (const Result<void> done = orders.upsert(kept.row); !done) {
    return std::unexpected(done.error());
  }
  return kept;
}

}  // namespace

// Told once more after an answer that was lost, the row knows it.
Result<std::optional<KeptOrder>> keep_told(Database& database, std::string_view client_order_id,
                                           const BrokerUpdate& told) {
  return persistence::in_transaction(
      database,
      [&](SqlExecutor& to) -> Result<std::optional<KeptOrder>> {
        return keep(to, client_order_id, told);
      },
      Effects::idempotent);
}

Result<std::optional<OrderRow>> change_order(Database& database, std::string_view client_order_id,
                                             const std::function<bool(OrderRow&)>& change) {
  return persistence::in_transaction(
      database, [&](SqlExecutor& to) -> Result<std::optional<OrderRow>> {
        OrderRepository orders(to);
        Result<std::optional<OrderRow>> row = orders.find_and_lock(client_order_id);
        if (!row || !*row || !change(**row)) return row;
        if (const Result<void> done = orders.upsert(**row); !done) {
          return std::unexpected(done.error());
        }
        return row;
      });
}

bool is_unanswered(const OrderRow& row) {
  return row.broker_order_id.empty() && row.status == to_string(OrderStatus::submitting);
}

namespace {

Result<void> change_as_read(Database& database, const OrderRow& as_read,
                            const std::function<bool(OrderRow&)>& change) {
  const auto done = change_order(database, as_read.client_order_id,
                                 [&](OrderRow& row) { return row == as_read && change(row); });
  if (!done) return std::unexpected(done.error());
  return {};
}

}  // namespace

Result<void> end_unplaced(Database& database, const OrderRow& as_read, std::string_view why) {
  return change_as_read(database, as_read, [why](OrderRow& row) {
    if (!is_unanswered(row)) return false;
    row.status = to_string(OrderStatus::rejected);
    row.status_reason = why;
    row.updated_at = now_unix();
    return true;
  });
}

Result<void> doubt(Database& database, const OrderRow& as_read, std::string_view why) {
  return change_as_read(database, as_read, [why](OrderRow& row) {
    if (row.status_reason == why) return false;
    row.status_reason = why;
    row.updated_at = now_unix();
    return true;
  });
}

}  // namespace alphaswarm::trading::paper
