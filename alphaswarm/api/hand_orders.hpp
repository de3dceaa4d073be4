#pragma once

// Orders placed by hand: what their rows hold, and following them to their end. An order of a
// session is its session's.

#include <chrono>
#include <string_view>
#include <vector>

#include "alphaswarm/api/api.hpp"
#include "alphaswarm/persistence/order_repository.hpp"
#include "alphaswarm/trading/broker/broker.hpp"

namespace alphaswarm::api {

// Keeps the order before it is sent: one that went out is always known, whatever becomes of the
// answer. The same order again (its first answer was lost) goes on with the row that is there:
// true. already_exists for another order of that id.
[[nodiscard]] Result<bool> keep(persistence::OrderRepository& orders, persistence::OrderRow& row);
// Before an order that was there goes out once more: notes the time, from which on it may be on its
// way again. False if it is no longer as `row`, which is then as it is: somebody else has it.
[[nodiscard]] Result<bool> claim(persistence::Database& database, persistence::OrderRow& row);
// Writes down what the venue said of the order, and its fills (see keep_told); `row` is what came
// of it.
[[nodiscard]] Result<void> keep_answer(persistence::Database& database, persistence::OrderRow& row,
                                       const trading::Order& answer);
// Why there is no answer, unless somebody else has brought one. `over`: this try did not get
// through, and was the first; unless somebody has claimed the order meanwhile, it is rejected.
[[nodiscard]] Result<void> keep_failure(persistence::Database& database, persistence::OrderRow& row,
                                        std::string_view why, bool over);
// What became of earlier orders while this one was placed.
[[nodiscard]] Result<void> keep_news(persistence::Database& database,
                                     const std::vector<trading::BrokerUpdate>& news);

struct FollowOptions {
  std::chrono::nanoseconds look_every = std::chrono::seconds(1);
  // An order is asked after when a tenth of its age has passed since, within these.
  std::chrono::nanoseconds soonest = std::chrono::seconds(1);
  std::chrono::nanoseconds latest = std::chrono::seconds(60);
  // How long an order may be on its way to a venue. Not shown there after that, it never arrived;
  // or nobody can tell, where the venue no longer shows orders of that day: its row then says so,
  // stays `submitting`, and is asked for no more.
  std::chrono::nanoseconds arrival = trading::kOnItsWay;
};

// Asks live venues after the orders that may still change until each has ended, those that earlier
// processes placed included: the row and its fills are kept, and what changed is a span
// `order.update` below the request that placed the order. Ends when its task is asked to stop.
net::task<void> follow_hand_orders(persistence::Database& database, std::vector<Venue> venues,
                                   FollowOptions options = {});

}  // namespace alphaswarm::api
