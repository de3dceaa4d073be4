#pragma once

// Orders that were open at a live venue when their session ended: the venue did not confirm that
// they were cancelled, or did not answer at all.

#include "alphaswarm/trading/paper/session.hpp"

namespace alphaswarm::trading::paper {

// Cancels them and follows each to its end, in the tables of orders and fills; the row of its run
// stays as it is. Returns when none is left that can be followed, when no live venue is configured,
// or when the task is asked to stop. Workers that do so at once do no harm. Each look at an order
// is a trace of its own, span `paper.order.follow_up`.
[[nodiscard]] net::task<void> follow_left_orders(Services& services);

}  // namespace alphaswarm::trading::paper
