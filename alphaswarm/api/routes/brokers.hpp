#pragma once

#include "alphaswarm/api/routes/context.hpp"

namespace alphaswarm::api {

// Venues that take orders. Every route with {venue}: 404 for one that is not known, 503 for one
// that is not configured, 502 when the venue fails.
// GET /brokers       → [{venue, configured, note}]
// GET /brokers/{venue}/status → {venue, connected: true, detail}; a venue that does not answer, or
//                    not to these credentials, is a 502, as everywhere.
// GET /brokers/{venue}/account → {venue, id, status, cash, equity, buying_power}
// GET /brokers/{venue}/positions → [{vt_symbol, quantity (negative: short), average_cost, mark,
//                    value, unrealised_pnl}]
// POST /brokers/{venue}/orders {vt_symbol, side, quantity, order_type? = market,
//                    time_in_force? = day, limit_price?, stop_price?, client_order_id?} → Order, as
//                    in /portfolio/orders, where it is from then on. 423 while the kill switch is
//                    engaged, 400 for a word that is none of the allowed ones, 422 for other
//                    mistakes, 409 if the client order id is taken by another order, or by
//                    this one of an earlier day whose fate the venue no longer tells.
// DELETE /brokers/{venue}/orders/{id} → {venue, order_id, ok}; the id is the venue's or the
//                    client's. 404; 409 if the order has ended otherwise.
void add_broker_routes(RouteTable& table, const Context& context);

}  // namespace alphaswarm::api
