// The exporters over TLS, against OpenSSL's server side with certificates made here.

#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>

#include "alphaswarm/observability/api/provider.hpp"
#include "alphaswarm/observability/api/settings.hpp"
#include "alphaswarm/observability/export/otlp_grpc.hpp"
#include "alphaswarm/observability/export/otlp_http.hpp"
#include "alphaswarm/observability/export/test_server_test.hpp"
#include "alphaswarm/observability/tracing.hpp"

namespace alphaswarm::observability {
namespace {

namespace fs = std::filesystem;
using testing::GrpcReply;
using testing::GrpcServer;
using testing::Listener;

constexpr std::chrono::milliseconds kTimeout{5'000};

// An authority, a server's certificate for 127.0.0.1 and a client's, and an authority unknown.
class Certificates {
 public:
  Certificates() {
    ::signal(SIGPIPE, SIG_IGN);  // of the servers below: OpenSSL writes without MSG_NOSIGNAL
    fs::create_directories(folder_);
    const std::string in = "cd " + folder_.string() + " && ";
    const std::string key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 ";
    const auto run = [&](const std::string& command) {
      if (std::system((in + "openssl " + command + " 2>/dev/null").c_str()) != 0) std::abort();
    };
    for (const std::string name : {"ca", "other"}) {
      run("req -x509 " + key + "-subj /CN=" + name + " -keyout " + name + ".key -out " + name +
          ".pem");
    }
    for (const std::string name : {"server", "client"}) {
      run("req " + key + "-subj /CN=" + name + " -addext subjectAltName=IP:127.0.0.1 -keyout " +
          name + ".key -out " + name + ".csr");
      run("x509 -req -in " + name + ".csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 " +
          "-copy_extensions copy -out " + name + ".pem");
    }
  }
  ~Certificates() { fs::remove_all(folder_); }
  Certificates(const Certificates&) = delete;
  Certificates& operator=(const Certificates&) = delete;
  [[nodiscard]] std::string path(const std::string& name) const {
    return (folder_ / name).string();
  }

 private:
  fs::path folder_ = fs::temp_directory_path() / ("tls_test." + std::to_string(::getpid()));
};

class TlsTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { certificates = new Certificates; }
  static void TearDownTestSuite() { delete certificates; }
  static Certificates* certificates;
};
Certificates* TlsTest::certificates = nullptr;

int connect_to(int port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  if (::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) std::abort();
  return socket;
}

// Takes TLS connections one after the other and passes their bytes to a server in clear text.
class TlsFront {
 public:
  TlsFront(const Certificates& certificates, int behind, bool mutual) : behind_(behind) {
    context_ = ::SSL_CTX_new(::TLS_server_method());
    if (::SSL_CTX_use_certificate_file(context_, certificates.path("server.pem").c_str(),
                                       SSL_FILETYPE_PEM) != 1 ||
        ::SSL_CTX_use_PrivateKey_file(context_, certificates.path("server.key").c_str(),
                                      SSL_FILETYPE_PEM) != 1) {
      std::abort();
    }
    if (mutual) {
      ::SSL_CTX_load_verify_locations(context_, certificates.path("ca.pem").c_str(), nullptr);
      ::SSL_CTX_set_verify(context_, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
      // In 1.3 a client learns of a refusal only when it reads.
      ::SSL_CTX_set_max_proto_version(context_, TLS1_2_VERSION);
    }
    ::SSL_CTX_set_alpn_select_cb(context_, choose, nullptr);
    thread_ = std::thread([this] {
      for (int client = 0; (client = listener_.accept()) >= 0; ::close(client)) serve(client);
    });
  }
  ~TlsFront() {
    listener_.interrupt();
    thread_.join();
    ::SSL_CTX_free(context_);
  }
  TlsFront(const TlsFront&) = delete;
  TlsFront& operator=(const TlsFront&) = delete;
  [[nodiscard]] std::string endpoint() const {
    return "https://127.0.0.1:" + std::to_string(listener_.port());
  }

 private:
  static int choose(SSL*, const unsigned char** out, unsigned char* size, const unsigned char* in,
                    unsigned, void*) {
    *out = in + 1;  // the client's first
    *size = in[0];
    return SSL_TLSEXT_ERR_OK;
  }

  void serve(int client) {
    SSL* const session = ::SSL_new(context_);
    ::SSL_set_fd(session, client);
    if (::SSL_accept(session) == 1) {
      const int server = connect_to(behind_);
      pass(session, client, server);
      ::close(server);
    }
    ::SSL_free(session);
  }

  static void pass(SSL* session, int client, int server) {
    char room[16'384];
    for (;;) {
      pollfd polls[] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
      if (::SSL_pending(session) == 0 && ::poll(polls, 2, 10'000) <= 0) return;
      if (::SSL_pending(session) > 0 || polls[0].revents != 0) {
        const int got = ::SSL_read(session, room, sizeof room);
        if (got <= 0 || ::send(server, room, static_cast<std::size_t>(got), MSG_NOSIGNAL) < 0)
          return;
      }
      if (polls[1].revents != 0) {
        const ssize_t got = ::recv(server, room, sizeof room, 0);
        if (got <= 0 || ::SSL_write(session, room, static_cast<int>(got)) <= 0) return;
      }
    }
  }

  int behind_;
  SSL_CTX* context_ = nullptr;
  Listener listener_;
  std::thread thread_;
};

int port_of(const std::string& endpoint) {
  return std::stoi(endpoint.substr(endpoint.rfind(':') + 1));
}

SinkResult send_grpc(const std::string& endpoint, const TlsFiles& tls) {
  GrpcSink sink({.endpoint = *parse_endpoint(endpoint, 4317), .tls = tls, .headers = {}});
  return sink.send({"body", 1}, kTimeout);
}

TEST_F(TlsTest, GrpcVerifiesTheServer) {
  GrpcServer server({GrpcReply{}, GrpcReply{}});
  const TlsFront front(*certificates, port_of(server.endpoint()), false);
  EXPECT_EQ(send_grpc(front.endpoint(), {.ca_file = certificates->path("ca.pem"),
                                         .client_cert_file = {},
                                         .client_key_file = {}})
                .status,
            SinkResult::accepted);
  EXPECT_EQ(server.calls().size(), 1U);
  EXPECT_EQ(server.calls()[0].headers.at(":scheme"), "https");
  const SinkResult unknown = send_grpc(
      front.endpoint(),
      {.ca_file = certificates->path("other.pem"), .client_cert_file = {}, .client_key_file = {}});
  EXPECT_EQ(unknown.status, SinkResult::retry);
  EXPECT_NE(unknown.message.find("certificate"), std::string::npos) << unknown.message;
  EXPECT_EQ(server.calls().size(), 1U);
}

TEST_F(TlsTest, GrpcShowsItsOwnCertificate) {
  GrpcServer server({GrpcReply{}, GrpcReply{}});
  const TlsFront front(*certificates, port_of(server.endpoint()), true);
  const TlsFiles mutual{certificates->path("ca.pem"), certificates->path("client.pem"),
                        certificates->path("client.key")};
  EXPECT_EQ(send_grpc(front.endpoint(), mutual).status, SinkResult::accepted);
  EXPECT_EQ(send_grpc(front.endpoint(), {mutual.ca_file, "", ""}).status, SinkResult::retry);
  EXPECT_EQ(server.calls().size(), 1U);
}

#if ALPHASWARM_OTEL
TEST_F(TlsTest, TheEnvironmentSuffices) {
  const auto exported = [](std::map<std::string, std::string> variables) {
    variables["OTEL_TRACES_EXPORTER"] = "otlp";
    auto config =
        config_from_environment(config::Environment::from_values(std::move(variables)), "");
    if (!config) return std::string(config.error().message);
    config->timeout_ms = 300;
    config->shutdown_timeout_ms = 300;
    auto provider = TracerProvider::create(std::move(*config));
    if (!provider) return std::string(provider.error().message);
    span("one", {.provider = provider->get()}).end();
    static_cast<void>((*provider)->force_flush(5'000));
    return std::to_string((*provider)->stats().exported);
  };
  GrpcServer server({});
  const TlsFront front(*certificates, port_of(server.endpoint()), true);
  const std::map<std::string, std::string> mutual = {
      {"OTEL_EXPORTER_OTLP_ENDPOINT", front.endpoint()},
      {"OTEL_EXPORTER_OTLP_CERTIFICATE", certificates->path("ca.pem")},
      {"OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", certificates->path("client.pem")},
      {"OTEL_EXPORTER_OTLP_CLIENT_KEY", certificates->path("client.key")}};
  EXPECT_EQ(exported(mutual), "1");
  const auto with = [&](const std::string& variable, const std::string& value) {
    auto changed = mutual;
    changed[variable] = value;
    return exported(std::move(changed));
  };
  // What is for traces wins.
  EXPECT_EQ(with("OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", certificates->path("other.pem")), "0");
  auto swapped = mutual;
  for (const std::string name : {"CERTIFICATE", "CLIENT_CERTIFICATE", "CLIENT_KEY"}) {
    swapped["OTEL_EXPORTER_OTLP_TRACES_" + name] = mutual.at("OTEL_EXPORTER_OTLP_" + name);
    swapped["OTEL_EXPORTER_OTLP_" + name] = "/nowhere.pem";
  }
  EXPECT_EQ(exported(swapped), "1");
  auto nameless = mutual;
  nameless.erase("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE");
  nameless.erase("OTEL_EXPORTER_OTLP_CLIENT_KEY");
  EXPECT_EQ(exported(nameless), "0");
}
#endif

// Answers one request of each connection.
class HttpServer {
 public:
  HttpServer() {
    thread_ = std::thread([this] {
      for (int client = 0; (client = listener_.accept()) >= 0; ::close(client)) {
        char room[4'096];
        if (::recv(client, room, sizeof room, 0) <= 0) continue;
        constexpr std::string_view kReply = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
        static_cast<void>(::send(client, kReply.data(), kReply.size(), MSG_NOSIGNAL));
      }
    });
  }
  ~HttpServer() {
    listener_.interrupt();
    thread_.join();
  }
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  [[nodiscard]] int port() const { return listener_.port(); }

 private:
  Listener listener_;
  std::thread thread_;
};

SinkResult send_http(const std::string& endpoint, const TlsFiles& tls) {
  const auto sink =
      *HttpSink::create({.endpoint = *parse_endpoint(endpoint, 4318), .tls = tls, .headers = {}});
  return sink->send({"body", 1}, kTimeout);
}

TEST_F(TlsTest, HttpVerifiesTheServerAndShowsItsOwnCertificate) {
  const HttpServer server;
  const TlsFiles mutual{certificates->path("ca.pem"), certificates->path("client.pem"),
                        certificates->path("client.key")};
  const TlsFront plain(*certificates, server.port(), false);
  EXPECT_EQ(send_http(plain.endpoint(), {mutual.ca_file, "", ""}).status, SinkResult::accepted);
  EXPECT_EQ(send_http(plain.endpoint(), {certificates->path("other.pem"), "", ""}).status,
            SinkResult::retry);
  const TlsFront strict(*certificates, server.port(), true);
  EXPECT_EQ(send_http(strict.endpoint(), mutual).status, SinkResult::accepted);
  EXPECT_EQ(send_http(strict.endpoint(), {mutual.ca_file, "", ""}).status, SinkResult::retry);
}

}  // namespace
}  // namespace alphaswarm::observability
