#include "alphaswarm/net/http_server.hpp"

#include "alphaswarm/base/log.hpp"
#include "alphaswarm/net/detail/server_connection.hpp"
#include "alphaswarm/net/detail/server_core.hpp"

namespace alphaswarm::net {

void Router::add(Route route) { routes_.push_back(std::move(route)); }

void Router::add_websocket(std::string path, WebSocketHandler handler) {
  websocket_routes_.push_back({std::move(path), std::move(handler)});
}

class HttpServer::Impl : public detail::ServerCore {
 public:
  using ServerCore::ServerCore;
  std::unique_ptr<detail::Listener> listener;
  std::once_flag stopped;
};

namespace {

using Core = std::shared_ptr<detail::ServerCore>;

task<void> serve(Core core, std::unique_ptr<detail::Connection> connection, std::stop_source stop) {
  detail::ServerConnection client(std::move(core), std::move(connection), std::move(stop));
  co_await client.run();
}

// Ends when the listener is shut down.
task<void> accept_all(Core core, detail::Listener& listener) {
  struct AtEnd {
    ~AtEnd() { core.listener_ended(); }
    detail::ServerCore& core;
  };
  const AtEnd at_end{*core};
  for (;;) {
    auto connection = co_await listener.accept();
    if (connection) {
      std::stop_source stop;
      spawn(core->runtime, stop, serve(core, std::move(*connection), stop));
      continue;
    }
    if (connection.error().code != ErrorCode::resource_exhausted) break;
    core->accept_failures.add();
    log_warning("http", connection.error().message + "; trying again");
    if (!co_await sleep_for(std::chrono::milliseconds(50))) break;
  }
}

}  // namespace

HttpServer::HttpServer(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<std::unique_ptr<HttpServer>> HttpServer::start(Runtime& runtime, Router router,
                                                      HttpServerConfig config) {
  auto routes = detail::RouteTable::make(std::move(router));
  if (!routes) return std::unexpected(routes.error());
  auto listener = detail::Listener::open(runtime, config.address, config.port);
  if (!listener) return std::unexpected(listener.error());
  auto impl = std::make_shared<Impl>(runtime, std::move(*routes), std::move(config));
  const detail::Endpoint local = (*listener)->local();
  impl->address = local.address;
  impl->port = local.port;
  impl->listener = std::move(*listener);
  impl->listener_started();
  detail::Listener& socket = *impl->listener;
  spawn(runtime, accept_all(impl, socket));
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

HttpServer::~HttpServer() { stop(); }

std::uint16_t HttpServer::port() const noexcept { return impl_->port; }

std::size_t HttpServer::connections() const noexcept { return impl_->connections(); }

void HttpServer::stop() {
  std::call_once(impl_->stopped, [this] {
    constexpr std::chrono::milliseconds kLastLimit{500};
    impl_->listener->shut_down();
    impl_->drain();
    if (impl_->wait_until_empty(impl_->config.stop_limit)) {
      impl_->listener.reset();
      return;
    }
    impl_->abort_all();
    if (impl_->wait_until_empty(kLastLimit)) {
      impl_->listener.reset();
      return;
    }
    log_warning("http", "handlers of " + std::to_string(impl_->connections()) +
                            " connection(s) go on although the server has stopped");
  });
}

}  // namespace alphaswarm::net
