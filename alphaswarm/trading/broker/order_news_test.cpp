#include "alphaswarm/trading/broker/order_news.hpp"

#include <gtest/gtest.h>

namespace alphaswarm::trading {
namespace {

Order filled(std::string client_id, std::string id, double quantity) {
  Order order;
  order.id.value = std::move(id);
  order.request.client_id.value = std::move(client_id);
  order.request.quantity = Quantity::of(10);
  order.filled = Quantity::of(quantity);
  order.average_price = Price::of(100);
  order.status = quantity == 10 ? OrderStatus::filled : OrderStatus::partial;
  return order;
}

std::string execution_of(const Order& order) {
  for (const BrokerUpdate& update : order_news(nullptr, order)) {
    if (update.fill) return update.execution_id;
  }
  return "none";
}

TEST(OrderNews, AnExecutionKeepsItsNameAndNoOtherHasIt) {
  const std::string one = execution_of(filled("run-1", "7", 10));
  EXPECT_EQ(one, "run-1/7/10");
  EXPECT_EQ(execution_of(filled("run-1", "7", 10)), one);
  EXPECT_NE(execution_of(filled("run-1", "7", 4)), one);
  EXPECT_NE(execution_of(filled("run-1", "8", 10)), one);
  // A venue that was set up anew may give the same numbers to other orders.
  EXPECT_NE(execution_of(filled("run-2", "7", 10)), one);
}

}  // namespace
}  // namespace alphaswarm::trading
