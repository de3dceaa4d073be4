#pragma once

// Tracing for AlphaSwarm and for anyone: the one include, cheap enough for every file.
//
//   auto tracing = observability::configure_tracing({.service_name = "hello",
//                                                    .endpoint = "http://127.0.0.1:4317"});
//   {
//     auto span = observability::span("greet", {{"who", "world"}});
//     …
//   }  // the span ends here
//
// Every setting there is: api/provider.hpp. Traces that cross processes: api/propagators.hpp.

#include "alphaswarm/observability/api/configure.hpp"
#include "alphaswarm/observability/api/span.hpp"
#include "alphaswarm/observability/api/traced.hpp"
