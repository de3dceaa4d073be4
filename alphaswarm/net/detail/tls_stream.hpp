#pragma once

// TLS of a client over any stream, by OpenSSL on memory buffers: OpenSSL never sees the socket.

#include <openssl/ssl.h>

#include <memory>
#include <mutex>
#include <string>

#include "alphaswarm/net/detail/stream.hpp"
#include "alphaswarm/net/http_client.hpp"
#include "alphaswarm/net/sync.hpp"

namespace alphaswarm::net::detail {

// Thread-safe; one for each client.
class TlsContext {
 public:
  // invalid_argument if the CA file cannot be read.
  [[nodiscard]] static Result<std::shared_ptr<TlsContext>> make(const TlsClientConfig& config);
  explicit TlsContext(SSL_CTX* context, bool verify) : context_(context), verify_(verify) {}
  ~TlsContext() { SSL_CTX_free(context_); }
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  // A session that will check that the peer is `host`.
  [[nodiscard]] SSL* new_session(const std::string& host) const;

 private:
  SSL_CTX* context_;
  const bool verify_;
};

class TlsStream final : public Stream {
 public:
  TlsStream(std::unique_ptr<Connection> connection, SSL* session);
  ~TlsStream() override;

  // unavailable, with OpenSSL's reason, if the peer is not who it should be.
  task<Result<void>> handshake();
  task<Result<std::size_t>> read_some(std::span<char> into) override;
  task<Result<void>> write(std::string_view bytes) override;
  Connection& connection() noexcept override { return *connection_; }

 private:
  // What to do after an OpenSSL call.
  enum class Next : unsigned char { done, needs_input, end, failed };
  template <class Call>
  Next call(Call operation, std::string& error);
  task<Result<void>> flush();  // sends what OpenSSL has to say
  task<Result<bool>> feed();   // gives it what the peer said; false at the end

  std::unique_ptr<Connection> connection_;
  std::mutex mutex_;  // of session_: a reader and a writer may run at once
  SSL* session_;
  BIO* input_;              // owned by session_
  BIO* output_;             // likewise
  AsyncMutex flush_mutex_;  // records leave in the order they were made
};

}  // namespace alphaswarm::net::detail
