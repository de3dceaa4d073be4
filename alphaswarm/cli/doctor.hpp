#pragma once

// What `alphaswarm doctor` finds out: one check after the other along the way of a span, from the
// settings to the store. A check says in one sentence what is wrong and what to change.

#include <memory>
#include <string>
#include <vector>

#include "alphaswarm/cli/commands.hpp"
#include "alphaswarm/observability/api/config.hpp"
#include "alphaswarm/observability/export/batch_sink.hpp"

namespace alphaswarm::cli::doctor {

struct Finding {
  enum class State : std::uint8_t { good, skipped, bad };
  std::string check;  // "settings", "resolve", …: one of the names of the troubleshooting page
  State state = State::good;
  std::string message;  // bad: what is wrong and what to change
};
using Findings = std::vector<Finding>;

// Name, TCP, TLS and protocol of the endpoint, in this order; ends at the first that is bad.
[[nodiscard]] Findings check_endpoint(const observability::Config& config);

// Sends one span called "alphaswarm.doctor" by the configured exporter.
struct SentSpan {
  Finding finding;
  std::string trace_id;  // hex; empty: it was not accepted
};
[[nodiscard]] SentSpan check_span(const observability::Config& config);

// Waits at most 10 s for the span at a query server (ours or Jaeger), and compares its clock.
[[nodiscard]] Findings check_arrival(const std::string& query_url, const std::string& trace_id);

// The SDK's drop counters, as a service shows them on `url`.
[[nodiscard]] Finding check_drops(const std::string& url);

// "http(s)://…" answers with less than 500; anything else with a host and a port takes a
// connection.
[[nodiscard]] Finding check_reach(const std::string& url);

// An HTTP GET with a limit of three seconds.
struct Answer {
  int status = 0;  // 0: none; `body` says why
  std::string body;
  std::string date;  // its Date header
};
[[nodiscard]] Answer http_get(const std::string& url);

}  // namespace alphaswarm::cli::doctor
