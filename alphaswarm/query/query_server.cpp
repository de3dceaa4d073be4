#include "alphaswarm/query/query_server.hpp"

#include "alphaswarm/net/http_server.hpp"
#include "alphaswarm/net/task.hpp"
#include "alphaswarm/query/jaeger/routes.hpp"
#include "alphaswarm/query/native_api.hpp"

namespace alphaswarm::query {
namespace {

net::HttpResponse static_reply(const StaticFiles& files, const net::HttpRequest& request) {
  if (!files) return net::HttpResponse::detail(404, "no such path");
  std::string path = request.path == "/" ? "/index.html" : request.path;
  auto file = files(path);
  const std::size_t last = path.rfind('/');
  const bool is_page = path.find('.', last == std::string::npos ? 0 : last) == std::string::npos;
  if (!file && is_page && !path.starts_with("/api/")) {
    path = "/index.html";  // a deep link: the page reads it
    file = files(path);
  }
  if (!file) return net::HttpResponse::detail(404, "no such path");
  auto reply = net::HttpResponse::text(200, std::string(file->bytes), file->content_type);
  if (!file->encoding.empty()) reply.headers.set("content-encoding", file->encoding);
  // Names under /assets carry a hash of their content; the page itself must be asked for anew.
  reply.headers.set("cache-control", path.starts_with("/assets/")
                                         ? "public, max-age=31536000, immutable"
                                         : "no-cache");
  reply.headers.set("x-content-type-options", "nosniff");
  return reply;
}

}  // namespace

class QueryServer::Impl {
 public:
  explicit Impl(unsigned threads) : runtime_("query", threads) {}

  Result<void> start(std::shared_ptr<tracestore::MemoryStore> store, QueryServerConfig config) {
    auto service = std::make_shared<const QueryService>(std::move(store));
    net::Router router;
    add_native_routes(router, service);
    jaeger::add_legacy_routes(router, service);
    jaeger::add_metrics_routes(router, service);
    jaeger::add_v3_routes(router, service);
    auto files = std::move(config.static_files);
    auto serve = [files](const net::HttpRequest& request) -> net::task<net::HttpResponse> {
      co_return static_reply(files, request);
    };
    router.add({.method = "GET", .path = "/{path*}", .handler = std::move(serve), .tag = "page"});
    net::HttpServerConfig http;
    http.address = config.address;
    http.port = config.port;
    auto server = net::HttpServer::start(runtime_, std::move(router), http);
    if (!server) return std::unexpected(server.error());
    server_ = std::move(*server);
    return {};
  }

  [[nodiscard]] std::uint16_t port() const noexcept { return server_->port(); }
  void stop() {
    if (server_) server_->stop();
    runtime_.stop();
  }

 private:
  net::Runtime runtime_;
  std::unique_ptr<net::HttpServer> server_;
};

Result<std::unique_ptr<QueryServer>> QueryServer::start(
    std::shared_ptr<tracestore::MemoryStore> store, QueryServerConfig config) {
  auto impl = std::make_unique<Impl>(config.threads);
  auto started = impl->start(std::move(store), std::move(config));
  if (!started) return std::unexpected(started.error());
  return std::unique_ptr<QueryServer>(new QueryServer(std::move(impl)));
}

QueryServer::QueryServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
QueryServer::~QueryServer() { stop(); }
std::uint16_t QueryServer::port() const noexcept { return impl_->port(); }
void QueryServer::stop() { impl_->stop(); }

}  // namespace alphaswarm::query
