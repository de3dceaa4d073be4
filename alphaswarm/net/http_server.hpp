#pragma once

// An HTTP/1.1 server: routes with templates, JSON errors, keep-alive, WebSocket on the same port.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "alphaswarm/base/error.hpp"
#include "alphaswarm/net/http.hpp"
#include "alphaswarm/net/runtime.hpp"
#include "alphaswarm/net/websocket.hpp"

namespace alphaswarm::net {

// Runs in the request's own task slot. The request lives until the task ends. An exception becomes
// a 500 without its text in the reply; it is logged.
using Handler = std::function<task<HttpResponse>(const HttpRequest&)>;
// Runs after the upgrade. When it returns the connection is closed (1000); on an exception, 1011.
// It is asked to stop when the server stops.
using WebSocketHandler = std::function<task<void>(const HttpRequest&, WebSocket&)>;

// `path` is a template: "/paper/runs/{id}" matches one segment, "/assets/{path*}" all that is left
// (also nothing). A literal segment beats a parameter. HEAD is served by GET's handler.
struct Route {
  std::string method;
  std::string path;
  Handler handler;
  // Free-form, for the OpenAPI document.
  std::string summary{};
  std::string tag{};
  std::string request_schema{};
  std::string response_schema{};
};

class Router {
 public:
  void add(Route route);
  void add_websocket(std::string path, WebSocketHandler handler);
  [[nodiscard]] const std::vector<Route>& routes() const noexcept { return routes_; }

  struct WebSocketRoute {
    std::string path;
    WebSocketHandler handler;
  };
  [[nodiscard]] const std::vector<WebSocketRoute>& websocket_routes() const noexcept {
    return websocket_routes_;
  }

 private:
  std::vector<Route> routes_;
  std::vector<WebSocketRoute> websocket_routes_;
};

// What an observer wants to find again when the request ends, e.g. a span.
struct ObserverToken {
  void* first = nullptr;
  void* second = nullptr;
};

// Hooks around each request, called in the request's own task slot: what an observer sets there is
// what the handler sees. MUST NOT throw. Order: started, responding, finished; `responding` is
// skipped when there is no response to send. A WebSocket is one request with status 101.
class HttpServerObserver {
 public:
  virtual ~HttpServerObserver() = default;
  // The head has been read and routed, the body too. `notes` are the observer's own: one for each
  // connection, whose requests come one after another, and empty at first.
  virtual ObserverToken started(const HttpRequest& request, std::shared_ptr<void>& notes) = 0;
  // May append header fields, each a line with its CRLF; the response has none of their names.
  virtual void responding(ObserverToken token, const HttpRequest& request,
                          const HttpResponse& response, std::string& fields) = 0;
  // `error`: the handler threw, or the response could not be sent; else null. `status` is 0 if
  // none was sent.
  virtual void finished(ObserverToken token, int status, const Error* error) = 0;
};

struct HttpServerConfig {
  std::string address = "127.0.0.1";         // numeric IPv4 or IPv6
  std::uint16_t port = 0;                    // 0: any free one, see HttpServer::port()
  std::size_t max_header_bytes = 32U << 10;  // then 431
  std::size_t max_body_bytes = 20U << 20;    // then 413
  std::size_t max_connections = 10'000;      // one more gets 503 and is closed
  std::size_t max_websocket_message_bytes = 1U << 20;
  std::chrono::milliseconds idle_timeout{75'000};   // between requests: closed silently
  std::chrono::milliseconds head_timeout{10'000};   // from a request's first byte: then 408
  std::chrono::milliseconds body_timeout{60'000};   // from the end of the head: then 408
  std::chrono::milliseconds write_timeout{30'000};  // for one response: then dropped
  std::chrono::milliseconds websocket_ping_interval{20'000};  // a silent peer is asked, then left
  std::chrono::milliseconds stop_limit{1000};  // how long stop() lets requests finish
  HttpServerObserver* observer = nullptr;      // MUST outlive the server
};

class HttpServer {
 public:
  // unavailable (with the address in the message) if the port is taken; invalid_argument for a bad
  // address or route. Serves as soon as it returns. `runtime` MUST outlive the server.
  [[nodiscard]] static Result<std::unique_ptr<HttpServer>> start(Runtime& runtime, Router router,
                                                                 HttpServerConfig config);
  ~HttpServer();  // stop()
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  [[nodiscard]] std::uint16_t port() const noexcept;
  // Closes the listener, lets requests in progress finish for up to `stop_limit`, asks WebSocket
  // handlers to stop at once; then cancels and drops what is left. MUST NOT be called from a task
  // of the same runtime. A second call does nothing.
  void stop();
  [[nodiscard]] std::size_t connections() const noexcept;

 private:
  class Impl;
  explicit HttpServer(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;  // shared with the connections, which may outlive stop()'s limit
};

}  // namespace alphaswarm::net
