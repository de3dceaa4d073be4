#pragma once

// The orders of a session that may still change, each with its open span and its row.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "alphaswarm/observability/tracing.hpp"
#include "alphaswarm/persistence/fill_repository.hpp"
#include "alphaswarm/persistence/order_repository.hpp"
#include "alphaswarm/trading/broker/broker.hpp"
#include "alphaswarm/trading/paper/recorder.hpp"

namespace alphaswarm::trading::paper {

// The row of a request as it is before anybody has answered, under that span.
[[nodiscard]] persistence::OrderRow make_order_row(const OrderRequest& request,
                                                   std::string_view run_id, std::string_view venue,
                                                   const observability::SpanContext& span);
// Takes over what the venue says of the order.
void update_row(persistence::OrderRow& row, const Order& order);

// The row of what an update says was filled of the order; its span is the order's.
[[nodiscard]] persistence::FillRow make_fill_row(const persistence::OrderRow& order,
                                                 const Fill& fill, std::string execution_id);

// The request of a row that was written down, for what is left of it. Errors: data_loss.
[[nodiscard]] Result<OrderRequest> request_of(const persistence::OrderRow& row, Decimal remaining);
// The order as the row has it.
[[nodiscard]] Result<Order> order_of(const persistence::OrderRow& row);

// How an order ends that no venue had, and what is said of those whose fate nobody knows.
inline constexpr std::string_view kNeverCame = "it never reached the venue";
inline constexpr std::string_view kUnknown =
    "unknown: its submission had no answer, and the venue no longer lists orders of that day; look "
    "it up there";
inline constexpr std::string_view kDenied =
    "unknown: the venue once named this order and denies knowing it now (is it another account?); "
    "look it up there";

// Used by the session's task only.
class OrderTracker {
 public:
  explicit OrderTracker(Recorder& recorder) : recorder_(recorder) {}

  struct Entry {
    observability::Span span;  // paper.session.submit_order, suspended
    persistence::OrderRow row;
  };

  // The order waits for its fills: its span stays open, no longer current.
  void open(observability::Span span, persistence::OrderRow row);
  // What an update of a live venue says that the row does not know yet, in our names; nothing if
  // the order is not open. The row has the venue's id from then on. Each is then to be applied.
  [[nodiscard]] std::vector<BrokerUpdate> news(const BrokerUpdate& told);
  // What an update came to.
  struct Applied {
    persistence::OrderRow row;
    std::optional<persistence::FillRow> fill;
  };
  // What the venue said of an open order. Adds event order.fill, records the row and the fill, and
  // ends the span of a final order.
  Applied apply(const BrokerUpdate& update);
  // The order ends without a word of the venue (or after a cancel).
  void close(const std::string& client_id, OrderStatus status, std::string_view reason);
  // Nobody knows what became of it: row and span say so, and it stays open.
  void doubt(const std::string& client_id, std::string_view reason);
  // Ends all spans, with an event that says why, and leaves the rows as they are: the orders are
  // still at the venue.
  void leave_all(std::string_view why);

  [[nodiscard]] std::vector<std::pair<std::string, OrderId>> open_orders() const;
  // Null if it is not open. Valid until the order changes.
  [[nodiscard]] const persistence::OrderRow* row_of(const std::string& client_id) const;
  [[nodiscard]] bool contains(const std::string& client_id) const {
    return entries_.contains(client_id);
  }
  // Of the order's span; invalid if it is not open.
  [[nodiscard]] observability::SpanContext span_of(const std::string& client_id) const;

 private:
  void accepted(Entry& entry, const OrderId& id);

  Recorder& recorder_;
  std::map<std::string, Entry> entries_;  // by client id
};

}  // namespace alphaswarm::trading::paper
