#pragma once

#include <vector>

#include "alphaswarm/trading/broker/broker.hpp"

namespace alphaswarm::trading {

// What happened to an order between two looks at it, as the updates a stream would have told:
// "new" where there was no earlier look, a fill of what has been filled since, at the average price
// of that part, and its end. Nothing changed: nothing happened. An execution told by no name gets
// "<client id>/<order id>/<filled so far>", so that whoever asks again finds the same one.
[[nodiscard]] std::vector<BrokerUpdate> order_news(const Order* before, const Order& now);

// The same for an update a stream told. It may come late, twice, or after others that were missed:
// what `before` knows already is left out, and the venue's own word on the fill is taken where it
// is about just what is new.
[[nodiscard]] std::vector<BrokerUpdate> order_news(const Order& before, const BrokerUpdate& told);

}  // namespace alphaswarm::trading
