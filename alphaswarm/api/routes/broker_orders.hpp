#pragma once

#include <expected>
#include <string_view>

#include "alphaswarm/api/routes/context.hpp"

namespace alphaswarm::api {

// The broker of that venue, or the 404 or 503 to answer.
using BrokerOrReply = std::expected<trading::Broker*, net::HttpResponse>;
[[nodiscard]] BrokerOrReply find_broker(const ApiDependencies& service, std::string_view name);

// What the venue said about the request keeps its status; everything else is its failure: 502.
[[nodiscard]] net::HttpResponse broker_error_reply(const Error& error);

// POST /brokers/{venue}/orders
[[nodiscard]] net::task<net::HttpResponse> place_order(const ApiDependencies& service,
                                                       const net::HttpRequest& request);
// DELETE /brokers/{venue}/orders/{id}
[[nodiscard]] net::task<net::HttpResponse> cancel_order(const ApiDependencies& service,
                                                        const net::HttpRequest& request);

}  // namespace alphaswarm::api
