#include "alphaswarm/trading/broker/order_news.hpp"

#include <fmt/format.h>

namespace alphaswarm::trading {

std::vector<BrokerUpdate> order_news(const Order* before, const Order& now) {
  std::vector<BrokerUpdate> news;
  if (before == nullptr) news.push_back({"new", now, std::nullopt, ""});
  const Quantity known = before == nullptr ? Quantity() : before->filled;
  if (now.filled > known) {
    const Quantity part = now.filled - known;
    const Price average = before == nullptr ? Price() : before->average_price;
    BrokerUpdate update;
    update.event = now.status == OrderStatus::filled ? "fill" : "partial_fill";
    update.order = now;
    update.execution_id =
        fmt::format("{}/{}/{}", now.request.client_id.value, now.id.value, now.filled.to_string());
    update.fill =
        Fill{.client_id = now.request.client_id,
             .order_id = now.id,
             .symbol = now.request.symbol,
             .side = now.request.side,
             .quantity = part,
             .price = known.is_zero() ? now.average_price
                                      : (now.average_price * now.filled - average * known) / part,
             .commission = {},
             .time = now.updated};
    news.push_back(std::move(update));
  }
  const bool ended = is_final(now.status) && (before == nullptr || !is_final(before->status));
  if (ended && now.status != OrderStatus::filled) {
    const std::string_view event = now.status == OrderStatus::cancelled ? "canceled"
                                   : now.status == OrderStatus::expired ? "expired"
                                                                        : "rejected";
    news.push_back({std::string(event), now, std::nullopt, ""});
  }
  return news;
}

std::vector<BrokerUpdate> order_news(const Order& before, const BrokerUpdate& told) {
  std::vector<BrokerUpdate> news = order_news(&before, told.order);
  for (BrokerUpdate& one : news) {
    if (!one.fill || !told.fill || one.fill->quantity != told.fill->quantity) continue;
    one.fill = told.fill;
    if (!told.execution_id.empty()) one.execution_id = told.execution_id;
  }
  return news;
}

}  // namespace alphaswarm::trading
