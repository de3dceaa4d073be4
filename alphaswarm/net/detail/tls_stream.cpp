#include "alphaswarm/net/detail/tls_stream.hpp"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>

#include <array>

#include "alphaswarm/net/detail/addresses.hpp"
#include "alphaswarm/net/detail/socket.hpp"

namespace alphaswarm::net::detail {
namespace {

std::string openssl_reason() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  if (code == 0) return "unknown reason";
  const char* text = ERR_reason_error_string(code);
  return text != nullptr ? text : "unknown reason";
}

}  // namespace

Result<std::shared_ptr<TlsContext>> TlsContext::make(const TlsClientConfig& config) {
  auto context = std::make_shared<TlsContext>(SSL_CTX_new(TLS_client_method()), config.verify);
  SSL_CTX* const ssl = context->context_;
  SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION);
  SSL_CTX_set_options(ssl, SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_verify(ssl, config.verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  const int loaded = config.ca_file.empty() ? SSL_CTX_set_default_verify_paths(ssl)
                                            : SSL_CTX_load_verify_file(ssl, config.ca_file.c_str());
  if (loaded != 1) {
    return fail(ErrorCode::invalid_argument,
                "cannot read CA certificates from \"" + config.ca_file + "\": " + openssl_reason());
  }
  return context;
}

SSL* TlsContext::new_session(const std::string& host) const {
  SSL* session = SSL_new(context_);
  X509_VERIFY_PARAM* const check = SSL_get0_param(session);
  if (numeric_address(host, 0)) {
    if (verify_) X509_VERIFY_PARAM_set1_ip_asc(check, host.c_str());
  } else {
    SSL_set_tlsext_host_name(session, host.c_str());
    if (verify_) X509_VERIFY_PARAM_set1_host(check, host.c_str(), host.size());
  }
  static constexpr std::array<unsigned char, 9> kHttp11 = {8,   'h', 't', 't', 'p',
                                                           '/', '1', '.', '1'};
  SSL_set_alpn_protos(session, kHttp11.data(), kHttp11.size());
  return session;
}

TlsStream::TlsStream(std::unique_ptr<Connection> connection, SSL* session)
    : connection_(std::move(connection)),
      session_(session),
      input_(BIO_new(BIO_s_mem())),
      output_(BIO_new(BIO_s_mem())) {
  SSL_set_bio(session_, input_, output_);
  SSL_set_connect_state(session_);
}

TlsStream::~TlsStream() { SSL_free(session_); }

template <class Call>
TlsStream::Next TlsStream::call(Call operation, std::string& error) {
  const std::lock_guard lock(mutex_);
  ERR_clear_error();
  const int result = operation();
  if (result > 0) return Next::done;
  switch (SSL_get_error(session_, result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      return Next::needs_input;
    case SSL_ERROR_ZERO_RETURN:
      return Next::end;
    default:
      break;
  }
  const long verdict = SSL_get_verify_result(session_);
  error = verdict != X509_V_OK ? X509_verify_cert_error_string(verdict) : openssl_reason();
  return Next::failed;
}

task<Result<void>> TlsStream::flush() {
  const auto guard = co_await flush_mutex_.lock();
  if (!guard) co_return std::unexpected(guard.error());
  std::array<char, 16384> chunk;  // NOLINT: filled by the read
  for (;;) {
    int count = 0;
    {
      const std::lock_guard lock(mutex_);
      count = BIO_read(output_, chunk.data(), static_cast<int>(chunk.size()));
    }
    if (count <= 0) co_return Result<void>();
    auto written = co_await connection_->write({chunk.data(), static_cast<std::size_t>(count)});
    if (!written) co_return written;
  }
}

task<Result<bool>> TlsStream::feed() {
  std::array<char, 16384> chunk;  // NOLINT: filled by the read
  const Result<std::size_t> count = co_await connection_->read_some(chunk);
  if (!count) co_return std::unexpected(count.error());
  if (*count == 0) co_return false;
  const std::lock_guard lock(mutex_);
  BIO_write(input_, chunk.data(), static_cast<int>(*count));
  co_return true;
}

task<Result<void>> TlsStream::handshake() {
  const auto step = [this] { return SSL_do_handshake(session_); };
  for (;;) {
    std::string error;
    const Next next = call(step, error);
    auto flushed = co_await flush();  // also the alert that tells the peer why
    if (next == Next::done) co_return flushed;
    if (next != Next::needs_input) {
      co_return fail(ErrorCode::unavailable, "TLS handshake: " + error);
    }
    if (!flushed) co_return flushed;
    const Result<bool> fed = co_await feed();
    if (!fed) co_return std::unexpected(fed.error());
    if (!*fed) {
      co_return fail(ErrorCode::unavailable, "TLS handshake: the peer closed the connection");
    }
  }
}

task<Result<std::size_t>> TlsStream::read_some(std::span<char> into) {
  std::size_t count = 0;
  const auto step = [&] { return SSL_read_ex(session_, into.data(), into.size(), &count); };
  for (;;) {
    std::string error;
    const Next next = call(step, error);
    if (next == Next::done) co_return count;
    if (next == Next::end) co_return std::size_t{0};
    if (next == Next::failed) co_return fail(ErrorCode::unavailable, "TLS read: " + error);
    if (auto flushed = co_await flush(); !flushed) co_return std::unexpected(flushed.error());
    const Result<bool> fed = co_await feed();
    if (!fed) co_return std::unexpected(fed.error());
    if (!*fed) {
      // Without TLS's own goodbye the end may be an attacker's.
      co_return fail(ErrorCode::unavailable, "TLS read: the stream was cut");
    }
  }
}

task<Result<void>> TlsStream::write(std::string_view bytes) {
  while (!bytes.empty()) {
    std::size_t count = 0;
    const auto step = [&] { return SSL_write_ex(session_, bytes.data(), bytes.size(), &count); };
    std::string error;
    const Next next = call(step, error);
    // A memory buffer takes everything, and there is no renegotiation: input is never needed.
    if (next != Next::done) co_return fail(ErrorCode::unavailable, "TLS write: " + error);
    if (auto flushed = co_await flush(); !flushed) co_return flushed;
    bytes.remove_prefix(count);
  }
  co_return Result<void>();
}

}  // namespace alphaswarm::net::detail
