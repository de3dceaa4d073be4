#pragma once

// What the connections of one HttpServer share.

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <stop_token>
#include <unordered_set>

#include "alphaswarm/base/counters.hpp"
#include "alphaswarm/net/detail/route_table.hpp"
#include "alphaswarm/net/detail/socket.hpp"
#include "alphaswarm/net/http_server.hpp"

namespace alphaswarm::net::detail {

class ServerConnection;

class ServerCore {
 public:
  ServerCore(Runtime& owner, std::unique_ptr<const RouteTable> table, HttpServerConfig settings)
      : runtime(owner), routes(std::move(table)), config(std::move(settings)) {}

  // A connection comes and goes. `enter` gives false when it is one too many, or too late.
  [[nodiscard]] bool enter(ServerConnection& connection);
  void leave(ServerConnection& connection) noexcept;
  [[nodiscard]] std::size_t connections() const;

  [[nodiscard]] bool draining() const noexcept { return draining_.load(); }
  // Ends idle connections and WebSockets; the rest end after their response.
  void drain();
  // Cancels and drops everything.
  void abort_all();
  // True if all connections and the listener's task have ended within the limit.
  [[nodiscard]] bool wait_until_empty(std::chrono::milliseconds limit);

  void listener_started();
  void listener_ended() noexcept;

  Runtime& runtime;
  const std::unique_ptr<const RouteTable> routes;
  const HttpServerConfig config;
  std::string address;  // of the listener
  std::uint16_t port = 0;
  Counter& requests = counter("alphaswarm_http_server_requests_total", "",
                              "HTTP requests that were read and routed.");
  Counter& refused = counter("alphaswarm_http_server_connections_refused_total", "",
                             "Connections beyond the bound, answered with 503.");
  Counter& accept_failures =
      counter("alphaswarm_http_server_accept_failures_total", "",
              "Times a connection could not be accepted for lack of descriptors or memory.");
  Counter& broken = counter("alphaswarm_http_server_bad_requests_total", "",
                            "Requests that were not HTTP, too big, or too slow.");

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::unordered_set<ServerConnection*> open_;  // guarded by mutex_
  bool listening_ = false;                      // guarded by mutex_
  // Sequentially consistent: see ServerConnection::become_idle.
  std::atomic<bool> draining_{false};
};

}  // namespace alphaswarm::net::detail
