#pragma once

// An HTTP/1.1 client with a pool of kept-alive connections; TLS for https://.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "alphaswarm/base/error.hpp"
#include "alphaswarm/net/http.hpp"
#include "alphaswarm/net/runtime.hpp"

namespace alphaswarm::net {

struct HttpRequestInfo {
  std::string_view method;
  std::string_view url;   // as the caller gave it: may carry secrets
  std::string_view host;  // of the URL
  std::uint16_t port;
  Headers& headers;  // may be added to
};

struct PeerAddress {
  std::string address;  // numeric; empty if no connection was made
  std::uint16_t port = 0;
};

// Hooks around each send(), called in the sending task's slot. MUST NOT throw.
class HttpClientObserver {
 public:
  virtual ~HttpClientObserver() = default;
  // The caller's token comes back in finished().
  virtual void* started(HttpRequestInfo& request, int resend_count) = 0;
  // `status` is 0 and `error` set when there is no response.
  virtual void finished(void* token, int status, const Error* error, const PeerAddress& peer) = 0;
};

struct TlsClientConfig {
  std::string ca_file{};  // PEM; empty: the system's
  bool verify = true;     // certificate and host name
};

struct HttpClientConfig {
  std::chrono::milliseconds connect_timeout{5'000};   // look-up, TCP and TLS together
  std::chrono::milliseconds request_timeout{30'000};  // all of send(), unless the request says
  std::chrono::milliseconds idle_timeout{30'000};     // a pooled connection older is not used
  std::size_t max_connections_per_host = 64;          // more requests wait their turn
  std::size_t max_header_bytes = 64U << 10;
  std::size_t max_response_bytes = 64U << 20;
  std::string user_agent = "alphaswarm/0.1";
  TlsClientConfig tls{};
  HttpClientObserver* observer = nullptr;  // MUST outlive the client
};

struct ClientRequest {
  std::string method = "GET";
  std::string url{};  // http:// or https://
  Headers headers{};
  std::string body{};
  std::chrono::milliseconds timeout{0};  // 0: the client's
  int resend_count = 0;                  // how often the caller has tried this request before
};

// Thread-safe. Tasks of any runtime may send; fastest from those of the runtime it was made with,
// where the sockets live. MUST outlive the tasks that use it.
class HttpClient {
 public:
  explicit HttpClient(Runtime& runtime, HttpClientConfig config = {});
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // Any status is a success here. Errors: invalid_argument (URL), unavailable (no connection, or it
  // broke; the message says whether the request may have been processed), deadline_exceeded,
  // cancelled, resource_exhausted (response too big), data_loss (not HTTP). Redirects are not
  // followed. A pooled connection found dead before anything was sent is replaced silently; nothing
  // else is retried.
  task<Result<HttpResponse>> send(ClientRequest request);

  // Closes the idle connections.
  void close_idle();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace alphaswarm::net
