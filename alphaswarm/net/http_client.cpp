#include "alphaswarm/net/http_client.hpp"

#include <algorithm>
#include <map>
#include <mutex>

#include "alphaswarm/net/detail/client_connection.hpp"
#include "alphaswarm/net/detail/connection_pool.hpp"
#include "alphaswarm/net/detail/http_codec.hpp"
#include "alphaswarm/net/url.hpp"

namespace alphaswarm::net {
namespace {

using detail::ClientConnection;
using detail::Deadline;
using ConnectionPtr = std::unique_ptr<ClientConnection>;

// Why the request cannot go on the wire; nullopt if it can.
std::optional<Error> refusal(const ClientRequest& request, const Url& url) {
  const auto bad = [](std::string message) {
    return Error{ErrorCode::invalid_argument, std::move(message)};
  };
  if (url.scheme != "http" && url.scheme != "https") return bad("bad URL: it must be http(s)");
  if (!detail::is_valid_field({request.method, ""})) {
    return bad("bad HTTP method \"" + request.method + "\"");
  }
  for (const Header& field : request.headers) {
    if (!detail::is_valid_field(field)) return bad("bad request header \"" + field.name + "\"");
  }
  return std::nullopt;
}

}  // namespace

class HttpClient::Impl {
 public:
  Impl(Runtime& runtime, HttpClientConfig config) : runtime_(runtime), config_(std::move(config)) {}

  task<Result<HttpResponse>> send(ClientRequest request);
  void close_idle();

 private:
  // Connections to one scheme, host and port. Never removed, so references stay good.
  using Pool = detail::ConnectionPool<ClientConnection>;

  task<Result<HttpResponse>> send_checked(const ClientRequest& request, const Url& url,
                                          PeerAddress& peer);
  task<Result<HttpResponse>> send_on(Pool& pool, const ClientRequest& request, const Url& url,
                                     Deadline deadline, PeerAddress& peer);
  task<Result<ConnectionPtr>> open(const Url& url, Deadline deadline);
  Result<std::shared_ptr<detail::TlsContext>> tls();
  Pool& pool_of(const Url& url);

  Runtime& runtime_;
  const HttpClientConfig config_;
  std::mutex mutex_;
  std::map<std::string, Pool> pools_;        // guarded by mutex_
  std::shared_ptr<detail::TlsContext> tls_;  // guarded by mutex_; made at first use
};

HttpClient::Impl::Pool& HttpClient::Impl::pool_of(const Url& url) {
  const std::lock_guard lock(mutex_);
  std::string name = url.scheme + "://" + url.host + ":" + std::to_string(url.port);
  return pools_.try_emplace(std::move(name), config_.max_connections_per_host, config_.idle_timeout)
      .first->second;
}

Result<std::shared_ptr<detail::TlsContext>> HttpClient::Impl::tls() {
  const std::lock_guard lock(mutex_);
  if (tls_ == nullptr) {
    auto made = detail::TlsContext::make(config_.tls);
    if (!made) return made;
    tls_ = std::move(*made);
  }
  return tls_;
}

task<Result<ConnectionPtr>> HttpClient::Impl::open(const Url& url, Deadline deadline) {
  std::shared_ptr<detail::TlsContext> context;
  if (url.secure()) {
    auto made = tls();
    if (!made) co_return std::unexpected(std::move(made.error()));
    context = std::move(*made);
  }
  const Deadline limit =
      std::min(deadline, std::chrono::steady_clock::now() + config_.connect_timeout);
  co_return co_await ClientConnection::open(runtime_, url, std::move(context), limit);
}

task<Result<HttpResponse>> HttpClient::Impl::send_on(Pool& pool, const ClientRequest& request,
                                                     const Url& url, Deadline deadline,
                                                     PeerAddress& peer) {
  Pool::Place place(pool);
  std::string head;
  const std::string target = url.target();
  const std::string authority = url.authority();
  detail::append_request_head(head, {request.method, target, authority, request.body.size()},
                              request.headers);
  const ClientConnection::Exchange exchange{head,
                                            request.body,
                                            request.method,
                                            {config_.max_header_bytes, config_.max_response_bytes},
                                            deadline};
  for (;;) {
    ConnectionPtr connection = pool.take_idle();
    const bool pooled = connection != nullptr;
    if (!pooled) {
      Result<ConnectionPtr> opened = co_await open(url, deadline);
      if (!opened) co_return std::unexpected(std::move(opened.error()));
      connection = std::move(*opened);
    }
    peer = connection->peer();
    Result<HttpResponse> response = co_await connection->exchange(exchange);
    const bool stale = !response && pooled && !connection->sent_something() &&
                       response.error().code == ErrorCode::unavailable;
    if (stale) continue;
    if (response && connection->reusable()) place.to_keep = std::move(connection);
    co_return response;
  }
}

task<Result<HttpResponse>> HttpClient::Impl::send_checked(const ClientRequest& request,
                                                          const Url& url, PeerAddress& peer) {
  if (auto why = refusal(request, url)) co_return std::unexpected(std::move(*why));
  const auto limit = request.timeout.count() > 0 ? request.timeout : config_.request_timeout;
  const Deadline deadline = std::chrono::steady_clock::now() + limit;
  Pool& pool = pool_of(url);
  if (auto placed = co_await pool.take_place(deadline); !placed) {
    co_return std::unexpected(std::move(placed.error()));
  }
  auto response = co_await send_on(pool, request, url, deadline, peer);
  if (!response) {
    response.error().message =
        request.method + " " + url.authority() + url.path + ": " + response.error().message;
  }
  co_return response;
}

task<Result<HttpResponse>> HttpClient::Impl::send(ClientRequest request) {
  const Result<Url> url = parse_url(request.url);
  if (!url) co_return std::unexpected(url.error());
  if (!request.headers.contains("User-Agent")) {
    request.headers.add("User-Agent", config_.user_agent);
  }
  HttpClientObserver* const observer = config_.observer;
  void* token = nullptr;
  if (observer != nullptr) {
    HttpRequestInfo info{request.method, request.url, url->host, url->port, request.headers};
    token = observer->started(info, request.resend_count);
  }
  PeerAddress peer;
  Result<HttpResponse> response = co_await send_checked(request, *url, peer);
  if (observer != nullptr) {
    observer->finished(token, response ? response->status : 0,
                       response ? nullptr : &response.error(), peer);
  }
  co_return response;
}

void HttpClient::Impl::close_idle() {
  const std::lock_guard lock(mutex_);
  for (auto& [name, pool] : pools_) pool.close_idle();
}

HttpClient::HttpClient(Runtime& runtime, HttpClientConfig config)
    : impl_(std::make_unique<Impl>(runtime, std::move(config))) {}

HttpClient::~HttpClient() = default;

task<Result<HttpResponse>> HttpClient::send(ClientRequest request) {
  return impl_->send(std::move(request));
}

void HttpClient::close_idle() { impl_->close_idle(); }

}  // namespace alphaswarm::net
