#pragma once

// A TCP connection, clear or TLS, for one thread and with a deadline on every wait.

#include <sys/uio.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "alphaswarm/base/error.hpp"
#include "alphaswarm/observability/export/endpoint.hpp"

struct ssl_st;
struct ssl_ctx_st;

namespace alphaswarm::observability {

struct TlsFiles {
  std::string ca_file;  // PEM; empty: the system's authorities
  std::string client_cert_file;
  std::string client_key_file;
};

class Connection {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // TLS connections offer the protocol "h2" and verify the peer's certificate and name.
  [[nodiscard]] static Result<std::unique_ptr<Connection>> open(const Endpoint& endpoint,
                                                                const TlsFiles& tls,
                                                                TimePoint deadline);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  enum class Status : unsigned char { ok, would_block, closed };
  struct Transfer {
    Status status;
    std::size_t size;
  };
  // Never wait.
  [[nodiscard]] Transfer read(char* bytes, std::size_t size);
  // TLS takes the first piece only.
  [[nodiscard]] Transfer write(std::span<const iovec> pieces);
  [[nodiscard]] bool is_tls() const noexcept { return session_ != nullptr; }
  // Until it can be read (or also written); false at the deadline.
  [[nodiscard]] bool wait(bool for_writing, TimePoint deadline) const;

 private:
  struct FreeContext {
    void operator()(ssl_ctx_st* context) const noexcept;
  };
  struct FreeSession {
    void operator()(ssl_st* session) const noexcept;
  };

  explicit Connection(int socket) noexcept : socket_(socket) {}
  Result<void> start_tls(const Endpoint& endpoint, const TlsFiles& tls, TimePoint deadline);
  Transfer tls_result(int result) noexcept;

  int socket_;
  bool tls_wants_write_ = false;  // a TLS read may have to write first, and the reverse
  std::unique_ptr<ssl_ctx_st, FreeContext> context_;
  std::unique_ptr<ssl_st, FreeSession> session_;
};

}  // namespace alphaswarm::observability
