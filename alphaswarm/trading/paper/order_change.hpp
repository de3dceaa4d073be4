#pragma once

// What several look at in their own time: the row and the fills of an order that no running session
// has. Whoever brings news of it (the answer to its submission, a follower, a cancel, another
// process) brings them here, where they are compared with what the row says by then.

#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "alphaswarm/persistence/order_repository.hpp"
#include "alphaswarm/trading/broker/broker.hpp"

namespace alphaswarm::trading::paper {

struct KeptOrder {
  persistence::OrderRow row;       // as it is now
  std::vector<BrokerUpdate> news;  // what it did not know before
};

// Writes down what a venue said of an order: its row, and a fill of what the row did not count yet,
// in one transaction that nobody else's on that order overlaps. So each fill is kept once however
// many look, and the row's filled quantity is the sum of its fills. What is older than the row
// changes nothing. nullopt: there is no such order.
[[nodiscard]] Result<std::optional<KeptOrder>> keep_told(persistence::Database& database,
                                                         std::string_view client_order_id,
                                                         const BrokerUpdate& told);

// Lets `change` change the row in such a transaction; false: it stays. What it is then.
[[nodiscard]] Result<std::optional<persistence::OrderRow>> change_order(
    persistence::Database& database, std::string_view client_order_id,
    const std::function<bool(persistence::OrderRow&)>& change);

// Whether the row waits for a first answer: the venue has not named the order, nor has it ended.
[[nodiscard]] bool is_unanswered(const persistence::OrderRow& row);

// Ends the order as rejected if nobody has heard of it meanwhile: the row is still `as_read`.
[[nodiscard]] Result<void> end_unplaced(persistence::Database& database,
                                        const persistence::OrderRow& as_read, std::string_view why);
// Says in the row what is not known of the order, in the same way; it stays open.
[[nodiscard]] Result<void> doubt(persistence::Database& database,
                                 const persistence::OrderRow& as_read, std::string_view why);

}  // namespace alphaswarm::trading::paper
