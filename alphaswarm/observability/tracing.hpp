#pragma once

// Tracing for AlphaSwarm and for anyone: the one include.
//
//   auto tracing = observability::configure_tracing({.service_name = "hello",
//                                                    .endpoint = "http://127.0.0.1:4317"});
//   {
//     auto span = observability::span("greet", {{"who", "world"}});
//     …
//   }  // the span ends here

#include "alphaswarm/observability/api/propagation.hpp"
#include "alphaswarm/observability/api/propagators.hpp"
#include "alphaswarm/observability/api/provider.hpp"
#include "alphaswarm/observability/api/span.hpp"
#include "alphaswarm/observability/api/traced.hpp"
