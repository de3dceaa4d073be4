#include "alphaswarm/trading/paper/left_orders.hpp"

#include <fmt/format.h>

#include "alphaswarm/base/log.hpp"
#include "alphaswarm/base/random.hpp"
#include "alphaswarm/trading/paper/order_tracker.hpp"

namespace alphaswarm::trading::paper {

namespace otel = alphaswarm::observability;

namespace {

constexpr std::string_view kPart = "paper";
// An order without an answer that the venue does not show may come this long.
constexpr std::chrono::minutes kOnItsWay(10);

Broker* broker_of(const Services& services, std::string_view venue) {
  if (venue == "alpaca") return services.live.alpaca;
  return venue == "tradier" ? services.live.tradier : nullptr;
}

// One order, while it is looked at.
class LeftOrder {
 public:
  LeftOrder(Services& services, Broker& broker, const persistence::OrderRow& row)
      : broker_(broker),
        client_id_(row.client_order_id),
        recorder_(*services.database, row.run_id) {
    otel::SpanOptions options;
    options.provider = services.provider;
    options.root = true;
    span_ = otel::span("paper.order.follow_up", options,
                       {{"order.client_id", client_id_},
                        {"alphaswarm.run_id", row.run_id},
                        {"broker.venue", row.venue}});
    orders_.open({}, row);
    recorder_.forget();  // nothing has changed yet
  }

  // True: look again.
  net::task<Result<bool>> look() {
    Result<Order> order = co_await find();
    if (order && !is_final(order->status)) {
      OrderId id = order->id;
      // Whether that was in time is told by the next look.
      std::ignore = co_await broker_.cancel_order(id);
      order = co_await broker_.query_order(std::move(id));
    }
    bool again = true;
    if (order) {
      const BrokerUpdate told{"", *order, std::nullopt, ""};
      for (const BrokerUpdate& one : orders_.news(told)) std::ignore = orders_.apply(one);
      span_.set("order.status", to_string(order->status));
      again = orders_.contains(client_id_);
    } else if (order.error().code == ErrorCode::not_found ||
               order.error().code == ErrorCode::unauthenticated) {
      // What the venue has named and denies now, or does not tell us: not before the next start.
      const bool may_come =
          order.error().code == ErrorCode::not_found && row().broker_order_id.empty();
      again = may_come && wait_for_it();
    } else if (order.error().code == ErrorCode::cancelled) {
      co_return std::unexpected(order.error());
    }
    if (!order) {
      span_.error(order.error().message);
      log_warning(kPart, fmt::format("order.client_id={}: {}", client_id_, order.error().message));
    }
    const Result<void> written = recorder_.commit(nullptr);
    if (!written) co_return std::unexpected(written.error());
    co_return again;
  }

 private:
  [[nodiscard]] const persistence::OrderRow& row() const { return *orders_.row_of(client_id_); }
  net::task<Result<Order>> find() {
    if (row().broker_order_id.empty()) {
      ClientOrderId name{client_id_};
      co_return co_await broker_.query_order(std::move(name));
    }
    OrderId id{row().broker_order_id};
    co_return co_await broker_.query_order(std::move(id));
  }
  bool wait_for_it() {
    const std::int64_t age = now_unix().value - row().created_at.value;
    if (age < std::chrono::nanoseconds(kOnItsWay).count()) return true;
    if (broker_.shows_orders_since(row().created_at)) {
      orders_.close(client_id_, OrderStatus::rejected, kNeverCame);
    } else {
      orders_.doubt(client_id_, kUnknown);
    }
    return false;
  }

  Broker& broker_;
  const std::string client_id_;
  otel::Span span_;  // of this look
  Recorder recorder_;
  OrderTracker orders_{recorder_};
};

}  // namespace

net::task<void> follow_left_orders(Services& services) {
  if (services.live.alpaca == nullptr && services.live.tradier == nullptr) co_return;
  for (int looked = 1;; ++looked) {
    const auto rows = persistence::OrderRepository(*services.database).left_open();
    if (!rows) log_warning(kPart, "orders that were left open: " + rows.error().message);
    bool again = !rows;
    for (const persistence::OrderRow& row : rows.value_or(std::vector<persistence::OrderRow>())) {
      Broker* broker = broker_of(services, row.venue);
      if (broker == nullptr) {
        log_warning(kPart, fmt::format("order.client_id={} was left open at {}, which is not "
                                       "configured",
                                       row.client_order_id, row.venue));
        continue;
      }
      LeftOrder order(services, *broker, row);
      const Result<bool> more = co_await order.look();
      if (!more && more.error().code == ErrorCode::cancelled) co_return;
      again = again || more.value_or(true);
    }
    if (!again) co_return;
    const Result<void> waited =
        co_await net::sleep_for(backoff(services.retry, looked, thread_random().uniform()));
    if (!waited) co_return;
  }
}

}  // namespace alphaswarm::trading::paper
