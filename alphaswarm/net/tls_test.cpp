// The client's TLS against OpenSSL's own server side.

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

#include "alphaswarm/net/http_client.hpp"
#include "alphaswarm/net/raw_socket_for_tests.hpp"
#include "alphaswarm/net/task.hpp"

namespace alphaswarm::net {
namespace {

// A key and a certificate that signs itself for the given names.
class TestCertificate {
 public:
  explicit TestCertificate(const char* alternative_names) {
    key_ = EVP_EC_gen("P-256");
    certificate_ = X509_new();
    X509_set_version(certificate_, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate_), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate_), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate_), 3600);
    X509_set_pubkey(certificate_, key_);
    X509_NAME* const name = X509_get_subject_name(certificate_);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("test"), -1, -1, 0);
    X509_set_issuer_name(certificate_, name);
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, certificate_, certificate_, nullptr, nullptr, 0);
    X509_EXTENSION* const names =
        X509V3_EXT_conf_nid(nullptr, &context, NID_subject_alt_name, alternative_names);
    X509_add_ext(certificate_, names, -1);
    X509_EXTENSION_free(names);
    X509_sign(certificate_, key_, EVP_sha256());

    std::string pattern = (std::filesystem::temp_directory_path() / "cert-XXXXXX").string();
    const int descriptor = ::mkstemp(pattern.data());
    file_ = pattern;
    std::FILE* const out = ::fdopen(descriptor, "w");
    PEM_write_X509(out, certificate_);
    std::fclose(out);
  }
  ~TestCertificate() {
    std::filesystem::remove(file_);
    X509_free(certificate_);
    EVP_PKEY_free(key_);
  }
  TestCertificate(const TestCertificate&) = delete;
  TestCertificate& operator=(const TestCertificate&) = delete;

  [[nodiscard]] const std::string& file() const { return file_; }
  // Answers each connection's requests with the size of what was posted, until the peer goes.
  void serve(RawSocket& socket) const {
    SSL_CTX* const context = SSL_CTX_new(TLS_server_method());
    SSL_CTX_use_certificate(context, certificate_);
    SSL_CTX_use_PrivateKey(context, key_);
    SSL* const session = SSL_new(context);
    SSL_set_fd(session, socket.descriptor());
    if (SSL_accept(session) == 1) {
      while (answer(session)) {
      }
      SSL_shutdown(session);
    }
    SSL_free(session);
    SSL_CTX_free(context);
  }

 private:
  static bool answer(SSL* session) {
    std::string head;
    char byte = 0;
    while (!head.ends_with("\r\n\r\n")) {
      if (SSL_read(session, &byte, 1) != 1) return false;
      head += byte;
    }
    const std::size_t length = head.find("Content-Length: ");
    std::size_t left =
        length == std::string::npos ? 0 : std::strtoul(head.c_str() + length + 16, nullptr, 10);
    const std::string body(left, 'y');
    std::string chunk(65536, '\0');
    while (left > 0) {
      const int count = SSL_read(session, chunk.data(), static_cast<int>(chunk.size()));
      if (count <= 0) return false;
      left -= static_cast<std::size_t>(count);
    }
    const std::string response =
        "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    return SSL_write(session, response.data(), static_cast<int>(response.size())) > 0;
  }

  EVP_PKEY* key_ = nullptr;
  X509* certificate_ = nullptr;
  std::string file_;
};

class TlsTest : public testing::Test {
 protected:
  Result<HttpResponse> get(const RawServer& server, TlsClientConfig tls, std::string body = {}) {
    HttpClient client(runtime_, {.tls = std::move(tls)});
    ClientRequest request{
        .method = "POST", .url = "https" + server.url().substr(4), .body = std::move(body)};
    return block_on(runtime_, client.send(std::move(request)));
  }
  Runtime runtime_{"client", 1};
};

TEST_F(TlsTest, TalksToWhomItTrusts) {
  const TestCertificate certificate("IP:127.0.0.1");
  RawServer server([&](RawSocket& socket) { certificate.serve(socket); });
  HttpClient client(runtime_, {.tls = {.ca_file = certificate.file()}});
  for (const std::size_t size : {0U, 1U, 20'000U, 3'000'000U}) {
    ClientRequest request{
        .method = "POST", .url = "https" + server.url().substr(4), .body = std::string(size, 'x')};
    const auto response = block_on(runtime_, client.send(std::move(request)));
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(response->status, 200);
    EXPECT_TRUE(response->body == std::string(size, 'y'));
  }
}

TEST_F(TlsTest, RefusesWhomItDoesNotKnow) {
  const TestCertificate certificate("IP:127.0.0.1");
  RawServer server([&](RawSocket& socket) { certificate.serve(socket); });
  const auto refused = get(server, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::unavailable);
  EXPECT_NE(refused.error().message.find("self-signed"), std::string::npos)
      << refused.error().message;
  EXPECT_TRUE(get(server, {.verify = false}));
}

TEST_F(TlsTest, RefusesAnotherName) {
  const TestCertificate certificate("DNS:elsewhere.example");
  RawServer server([&](RawSocket& socket) { certificate.serve(socket); });
  const auto refused = get(server, {.ca_file = certificate.file()});
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("mismatch"), std::string::npos) << refused.error().message;
}

TEST_F(TlsTest, APlainServerIsNotMistaken) {
  RawServer server([](RawSocket& socket) { socket.write("HTTP/1.1 400 Bad Request\r\n\r\n"); });
  const auto refused = get(server, {.verify = false});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::unavailable);
}

TEST_F(TlsTest, AMissingCaFileIsNamed) {
  RawServer server([](RawSocket&) {});
  const auto refused = get(server, {.ca_file = "/no/such/file.pem"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::invalid_argument);
  EXPECT_NE(refused.error().message.find("/no/such/file.pem"), std::string::npos);
}

}  // namespace
}  // namespace alphaswarm::net
