// What a program writes by hand: see "Manual spans" in observability.md.

#include <alphaswarm/observability/api/prepared_attributes.hpp>
#include <alphaswarm/observability/api/provider.hpp>
#include <alphaswarm/observability/export/memory.hpp>
#include <alphaswarm/observability/tracing.hpp>
#include <cstdio>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>

namespace otel = alphaswarm::observability;

namespace {

// [traced]
bool check_risk(int shares) { return shares <= 100; }

// Same arguments, same result; plain functions, members and coroutines alike.
const auto kCheckRisk = otel::traced("check risk", check_risk);
// [/traced]

// [block]
void on_bar(int shares) {
  auto bar = otel::span("bar", {{"market.symbol", "AAPL"}});  // until the end of the block
  if (!kCheckRisk(shares)) return;
  auto submit =
      otel::span("submit", {.kind = otel::SpanKind::client}, {{"order.quantity", shares}});
  submit.set("order.side", "buy").event("accepted", {{"venue", "sim"}});
}
// [/block]

// [exception]
void load(const std::string& path) {
  auto span = otel::span("load", {{"path", path}});
  try {
    throw std::runtime_error("no such file");
  } catch (...) {
    span.record_current_exception();  // status ERROR, and an event with type and message
    throw;                            // outer spans that see it get the status only
  }
}
// [/exception]

// [suspend]
class Orders {
 public:
  void submit(const std::string& id) {
    auto span = otel::span("order", {{"order.client_id", id}});
    span.suspend();  // open, but no longer the parent of what comes next
    open_[id] = std::move(span);
  }
  void fill(const std::string& id, double price) {
    open_[id].event("order.fill", {{"price", price}});
    open_.erase(id);  // ends it
  }

 private:
  std::map<std::string, otel::Span> open_;
};
// [/suspend]

// [link]
// A span that belongs to many traces: a trace of its own, with a link to each.
void export_batch(const otel::SpanContext& first, const otel::SpanContext& second) {
  auto span = otel::span("export", {.root = true});
  span.link(first).link(second);
}
// [/link]

// [prepared]
const otel::PreparedAttributes kVenue({{"server.address", "127.0.0.1"}, {"server.port", 8100}});

void ask_venue() {
  auto span = otel::span("ask venue", {.kind = otel::SpanKind::client});
  span.set(kVenue).set("url.path", "/v2/orders");
}
// [/prepared]

// [current]
// Deep in a library, which has no span at hand.
void note_cache_miss() { otel::set_on_current("cache.hit", false); }
// [/current]

}  // namespace

int main() {
  const auto memory = std::make_shared<otel::MemorySink>();
  auto tracing = otel::configure_tracing(otel::Config{.service_name = "desk", .sink = memory});
  if (!tracing) return 1;
  otel::SpanContext session_context;
  {
    auto session = otel::span("session");
    session_context = session.context();
    on_bar(57);
    note_cache_miss();
    ask_venue();
    Orders orders;
    orders.submit("a-1");
    orders.fill("a-1", 152.25);
  }
  export_batch(session_context, session_context);
  try {
    load("bars.csv");
  } catch (const std::exception&) {
  }
  tracing.force_flush();
#if ALPHASWARM_OTEL
  const bool right = memory->find("submit").attributes.at("order.side") == "buy" &&
                     memory->find("session").attributes.at("cache.hit") == "false" &&
                     memory->find("ask venue").attributes.at("server.port") == "8100" &&
                     memory->find("order").events.at(0).name == "order.fill" &&
                     memory->find("export").links.size() == 2 &&
                     memory->find("load").status == otel::StatusCode::error;
  std::fputs(memory->tree().c_str(), stdout);
  return right ? 0 : 1;
#endif
}
