#pragma once

// The HTTP service: what it needs, and the router that serves it.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alphaswarm/base/error.hpp"
#include "alphaswarm/net/http_server.hpp"

namespace alphaswarm::persistence {
class Database;
}
namespace alphaswarm::tasks {
class Bus;
class ForeignResults;
class ProgressBus;
class TaskQueue;
}  // namespace alphaswarm::tasks
namespace alphaswarm::trading {
class Broker;
class KillSwitch;
}  // namespace alphaswarm::trading

namespace alphaswarm::api {

// A file of the web pages, as the binary carries it. Views live as long as the program.
struct Page {
  std::string_view content_type;
  std::string_view encoding;  // "gzip" or empty
  std::string_view bytes;
  bool immutable = false;  // its name holds a hash of its content: may be kept for ever
};

// Something the service depends on that it does not own, e.g. the simulated exchange.
struct HealthCheck {
  std::string name;
  bool required = false;  // while it is away, /health/ready is 503
  // What is there, in a few words, or why it is not. Short: it is asked for each /health.
  std::function<net::task<Result<std::string>>()> check;
};

// A venue that takes orders.
struct Venue {
  std::string name;                   // "sim", "alpaca", …: as in the paths
  trading::Broker* broker = nullptr;  // null: known but not configured
  std::string note;                   // for people: what it is, or what to set to configure it
  std::string host = {};              // where its API is, with the port unless it is the usual
  std::string account = {};           // whose money: "simulated", "paper", "live"; empty: not known
};

// Everything referred to MUST outlive the server that runs the router.
struct ApiDependencies {
  net::Runtime& runtime;
  persistence::Database& database;
  tasks::TaskQueue& queue;
  tasks::ProgressBus& progress;
  tasks::ForeignResults& results;
  tasks::Bus& bus;
  trading::KillSwitch& kill_switch;
  std::vector<Venue> venues;
  std::string version;       // of the program, e.g. "0.1.0"
  std::string trace_ui_url;  // of the trace pages, e.g. "http://127.0.0.1:16686"; may be empty
  std::vector<HealthCheck> health_checks;  // besides database and bus
  // More lines for /metrics in Prometheus' text format, after base's counters. May be empty.
  std::function<std::string()> more_metrics;
  // The page at a path of this server: "/dash", "/dash/assets/x.js", "/docs". May be empty (a
  // build without web pages): those paths then say so.
  std::function<std::optional<Page>(std::string_view path)> pages;
};

// All routes; their replies are described at their declarations in routes/*.hpp.
[[nodiscard]] net::Router make_router(ApiDependencies dependencies);

}  // namespace alphaswarm::api
