#include "alphaswarm/observability/export/connection.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace alphaswarm::observability {
namespace {

using std::chrono::steady_clock;

bool poll_until(int socket, short events, Connection::TimePoint deadline) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - steady_clock::now());
    if (left.count() <= 0) return false;
    pollfd poll{socket, events, 0};
    const int ready =
        ::poll(&poll, 1, static_cast<int>(std::min<std::int64_t>(left.count(), 60'000)));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return true;  // the next call reports what is wrong
  }
}

std::string system_message(int error) { return std::generic_category().message(error); }

// A connected non-blocking socket, or the reason why not.
Result<int> connect_to(const addrinfo& address, Connection::TimePoint deadline) {
  const int socket =
      ::socket(address.ai_family, address.ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (socket < 0) return fail(ErrorCode::unavailable, system_message(errno));
  int error = 0;
  if (::connect(socket, address.ai_addr, address.ai_addrlen) != 0) {
    error = errno;
    if (error == EINPROGRESS) {
      socklen_t size = sizeof error;
      if (!poll_until(socket, POLLOUT, deadline)) {
        error = ETIMEDOUT;
      } else if (::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size) != 0) {
        error = errno;
      }
    }
  }
  if (error != 0) {
    ::close(socket);
    return fail(ErrorCode::unavailable, system_message(error));
  }
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return socket;
}

std::string tls_message() {
  char text[256];
  const unsigned long code = ::ERR_get_error();
  if (code == 0) return "the connection was closed";
  ::ERR_error_string_n(code, text, sizeof text);
  return text;
}

}  // namespace

void Connection::FreeContext::operator()(ssl_ctx_st* context) const noexcept {
  ::SSL_CTX_free(context);
}
void Connection::FreeSession::operator()(ssl_st* session) const noexcept { ::SSL_free(session); }

Result<std::unique_ptr<Connection>> Connection::open(const Endpoint& endpoint, const TlsFiles& tls,
                                                     TimePoint deadline) {
  const std::string where = endpoint.authority();
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const std::string port = std::to_string(endpoint.port);
  if (const int error = ::getaddrinfo(endpoint.host.c_str(), port.c_str(), &hints, &found);
      error != 0) {
    return fail(ErrorCode::unavailable,
                "the name of " + where + " cannot be resolved: " + ::gai_strerror(error));
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> addresses(found, ::freeaddrinfo);
  std::string why = "it has no address";
  for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
    const Result<int> socket = connect_to(*at, deadline);
    if (!socket) {
      why = socket.error().message;
      continue;
    }
    std::unique_ptr<Connection> connection(new Connection(*socket));
    if (endpoint.tls) {
      if (Result<void> ready = connection->start_tls(endpoint, tls, deadline); !ready) {
        return std::unexpected(ready.error());
      }
    }
    return connection;
  }
  return fail(ErrorCode::unavailable, where + " cannot be reached: " + why);
}

Connection::~Connection() { ::close(socket_); }

Result<void> Connection::start_tls(const Endpoint& endpoint, const TlsFiles& tls,
                                   TimePoint deadline) {
  const auto refuse = [&](const std::string& what) {
    return fail(ErrorCode::unavailable, "TLS with " + endpoint.authority() + ": " + what);
  };
  context_.reset(::SSL_CTX_new(::TLS_client_method()));
  if (!context_) return refuse(tls_message());
  ::SSL_CTX_set_min_proto_version(context_.get(), TLS1_2_VERSION);
  ::SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
  const bool authorities =
      tls.ca_file.empty()
          ? ::SSL_CTX_set_default_verify_paths(context_.get()) == 1
          : ::SSL_CTX_load_verify_locations(context_.get(), tls.ca_file.c_str(), nullptr) == 1;
  if (!authorities) return refuse("the authorities cannot be read: " + tls_message());
  if (!tls.client_cert_file.empty() &&
      (::SSL_CTX_use_certificate_chain_file(context_.get(), tls.client_cert_file.c_str()) != 1 ||
       ::SSL_CTX_use_PrivateKey_file(context_.get(), tls.client_key_file.c_str(),
                                     SSL_FILETYPE_PEM) != 1)) {
    return refuse("the client certificate or key cannot be read: " + tls_message());
  }
  static constexpr unsigned char kProtocols[] = {2, 'h', '2'};
  ::SSL_CTX_set_alpn_protos(context_.get(), kProtocols, sizeof kProtocols);
  session_.reset(::SSL_new(context_.get()));
  if (!session_) return refuse(tls_message());
  ::SSL_set_fd(session_.get(), socket_);
  in6_addr address{};
  const bool is_address = ::inet_pton(AF_INET, endpoint.host.c_str(), &address) == 1 ||
                          ::inet_pton(AF_INET6, endpoint.host.c_str(), &address) == 1;
  if (is_address) {
    ::X509_VERIFY_PARAM_set1_ip_asc(::SSL_get0_param(session_.get()), endpoint.host.c_str());
  } else {
    ::SSL_set_tlsext_host_name(session_.get(), endpoint.host.c_str());
    ::SSL_set1_host(session_.get(), endpoint.host.c_str());
  }
  for (;;) {
    ::ERR_clear_error();
    const int result = ::SSL_connect(session_.get());
    if (result == 1) break;
    const int error = ::SSL_get_error(session_.get(), result);
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
      const long verified = ::SSL_get_verify_result(session_.get());
      return refuse(verified != X509_V_OK ? ::X509_verify_cert_error_string(verified)
                                          : tls_message());
    }
    if (!poll_until(socket_, error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, deadline)) {
      return refuse("the handshake took too long");
    }
  }
  const unsigned char* protocol = nullptr;
  unsigned size = 0;
  ::SSL_get0_alpn_selected(session_.get(), &protocol, &size);
  if (size != 2 || std::string_view(reinterpret_cast<const char*>(protocol), 2) != "h2") {
    return refuse("the server does not speak HTTP/2");
  }
  return {};
}

Connection::Transfer Connection::tls_result(int result) noexcept {
  tls_wants_write_ = false;
  if (result > 0) return {Status::ok, static_cast<std::size_t>(result)};
  const int error = ::SSL_get_error(session_.get(), result);
  tls_wants_write_ = error == SSL_ERROR_WANT_WRITE;
  const bool again = tls_wants_write_ || error == SSL_ERROR_WANT_READ;
  return {again ? Status::would_block : Status::closed, 0};
}

Connection::Transfer Connection::read(char* bytes, std::size_t size) {
  if (session_) {
    ::ERR_clear_error();
    return tls_result(::SSL_read(session_.get(), bytes, static_cast<int>(size)));
  }
  const ssize_t result = ::recv(socket_, bytes, size, 0);
  if (result > 0) return {Status::ok, static_cast<std::size_t>(result)};
  const bool again = result < 0 && (errno == EAGAIN || errno == EINTR);
  return {again ? Status::would_block : Status::closed, 0};
}

Connection::Transfer Connection::write(std::span<const iovec> pieces) {
  if (session_) {
    ::ERR_clear_error();
    const iovec& first = pieces.front();
    return tls_result(::SSL_write(session_.get(), first.iov_base, static_cast<int>(first.iov_len)));
  }
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(pieces.data());
  message.msg_iovlen = pieces.size();
  const ssize_t result = ::sendmsg(socket_, &message, MSG_NOSIGNAL);
  if (result > 0) return {Status::ok, static_cast<std::size_t>(result)};
  const bool again = result < 0 && (errno == EAGAIN || errno == EINTR);
  return {again ? Status::would_block : Status::closed, 0};
}

bool Connection::wait(bool for_writing, TimePoint deadline) const {
  const bool write = for_writing || tls_wants_write_;
  return poll_until(socket_, static_cast<short>(write ? POLLIN | POLLOUT : POLLIN), deadline);
}

}  // namespace alphaswarm::observability
