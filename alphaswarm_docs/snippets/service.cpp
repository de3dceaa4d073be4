// [program]
#include <alphaswarm/observability/api/propagation.hpp>
#include <alphaswarm/observability/tracing.hpp>
#include <cstdio>
#include <stdexcept>
#include <string>

namespace otel = alphaswarm::observability;

namespace {

double quote(const std::string& symbol) {
  auto span = otel::span("quote", {{"market.symbol", symbol}});
  if (symbol == "NONE") throw std::runtime_error("no such symbol");
  return 152.25;
}

// What a server does for a request: go on with the caller's trace, answer, say how it ended.
void handle(const std::string& symbol, const std::string& traceparent) {
  const auto parent = otel::extract_traceparent(traceparent);
  auto request = otel::span(
      "GET /quote", {.kind = otel::SpanKind::server, .parent = parent ? &*parent : nullptr});
  try {
    request.set("price", quote(symbol)).set("http.response.status_code", 200);
  } catch (const std::exception&) {
    request.record_current_exception().set("http.response.status_code", 500);
  }
}

}  // namespace

int main() {
  // Where to send, how much, under which name: the operator says, by ALPHASWARM_OTEL_* or OTEL_*.
  auto tracing = otel::configure_tracing();
  if (!tracing) std::fprintf(stderr, "%s\n", std::string(tracing.error()).c_str());  // and go on
  handle("AAPL", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
  handle("NONE", "");
}
// [/program]
