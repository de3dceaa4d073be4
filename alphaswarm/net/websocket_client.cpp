#include "alphaswarm/net/websocket_client.hpp"

#include "alphaswarm/net/detail/client_connection.hpp"
#include "alphaswarm/net/detail/http_codec.hpp"
#include "alphaswarm/net/detail/websocket_frame.hpp"
#include "alphaswarm/net/detail/websocket_impl.hpp"
#include "alphaswarm/net/url.hpp"

namespace alphaswarm::net {
namespace {

constexpr std::size_t kMaxRefusalBytes = 64U << 10;

std::optional<Error> refusal(const HttpResponse& response, const std::string& key) {
  if (response.status != 101) {
    Error error{ErrorCode::unavailable, "the peer answered the WebSocket upgrade with status " +
                                            std::to_string(response.status)};
    error.retryable = response.status == 429 || response.status >= 500;
    return error;
  }
  if (response.headers.get("Sec-WebSocket-Accept").value_or("") != detail::accept_key(key)) {
    return Error{ErrorCode::unavailable, "the peer's WebSocket upgrade is not valid"};
  }
  return std::nullopt;
}

struct Upgraded {
  std::unique_ptr<detail::ClientConnection> connection;
  int status = 0;
};

task<Result<Upgraded>> upgrade(const Url& url, const Headers& headers, const std::string& key,
                               const WebSocketClientConfig& config, PeerAddress& peer) {
  const auto deadline = std::chrono::steady_clock::now() + config.connect_timeout;
  std::shared_ptr<detail::TlsContext> tls;
  if (url.secure()) {
    auto made = detail::TlsContext::make(config.tls);
    if (!made) co_return std::unexpected(std::move(made.error()));
    tls = std::move(*made);
  }
  auto opened =
      co_await detail::ClientConnection::open(*Runtime::current(), url, std::move(tls), deadline);
  if (!opened) co_return std::unexpected(std::move(opened.error()));
  peer = (*opened)->peer();
  std::string head;
  const std::string target = url.target();
  const std::string authority = url.authority();
  detail::append_request_head(head, {"GET", target, authority, 0}, headers);
  const std::string no_body;
  const detail::ClientConnection::Exchange exchange{
      head, no_body, "GET", {kMaxRefusalBytes, kMaxRefusalBytes}, deadline};
  const auto response = co_await (*opened)->exchange(exchange);
  if (!response) co_return std::unexpected(response.error());
  if (auto why = refusal(*response, key)) co_return std::unexpected(std::move(*why));
  co_return Upgraded{std::move(*opened), response->status};
}

}  // namespace

task<Result<WebSocket>> connect_websocket(std::string text, Headers headers,
                                          WebSocketClientConfig config) {
  const Result<Url> url = parse_url(text);
  if (!url) co_return std::unexpected(url.error());
  for (const Header& field : headers) {
    if (!detail::is_valid_field(field)) {
      co_return fail(ErrorCode::invalid_argument, "bad request header \"" + field.name + "\"");
    }
  }
  const std::string key = detail::new_websocket_key();
  headers.set("Upgrade", "websocket");
  headers.set("Sec-WebSocket-Version", "13");
  headers.set("Sec-WebSocket-Key", key);
  void* token = nullptr;
  if (config.observer != nullptr) {
    HttpRequestInfo info{"GET", text, url->host, url->port, headers};
    token = config.observer->started(info, 0);
  }
  PeerAddress peer;
  Result<Upgraded> upgraded = co_await upgrade(*url, headers, key, config, peer);
  if (config.observer != nullptr) {
    config.observer->finished(token, upgraded ? upgraded->status : 0,
                              upgraded ? nullptr : &upgraded.error(), peer);
  }
  if (!upgraded) {
    upgraded.error().message =
        "WebSocket to " + url->authority() + url->path + ": " + upgraded.error().message;
    co_return std::unexpected(std::move(upgraded.error()));
  }
  std::string early = upgraded->connection->take_rest();
  std::unique_ptr<detail::Stream> stream = upgraded->connection->take_stream();
  detail::Stream& below = *stream;
  detail::WebSocketLimits limits{config.max_message_bytes, config.ping_interval,
                                 config.write_timeout};
  co_return WebSocket(std::make_unique<detail::WebSocketImpl>(
      below, detail::WebSocketRole::client, limits, std::move(early), std::move(stream)));
}

}  // namespace alphaswarm::net
