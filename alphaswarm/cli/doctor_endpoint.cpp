// The first half of `alphaswarm doctor`: is something there, and does it speak what is configured?

#include <netdb.h>
#include <sys/socket.h>

#include <chrono>

#include "alphaswarm/cli/doctor.hpp"
#include "alphaswarm/observability/export/connection.hpp"
#include "alphaswarm/observability/export/endpoint.hpp"

namespace alphaswarm::cli::doctor {
namespace {

using observability::Connection;
using observability::Endpoint;
using observability::Protocol;
using State = Finding::State;

constexpr std::chrono::seconds kLimit{3};

Connection::TimePoint soon() { return std::chrono::steady_clock::now() + kLimit; }

Finding check_resolve(const Endpoint& endpoint) {
  addrinfo* list = nullptr;
  const int error = ::getaddrinfo(endpoint.host.c_str(), nullptr, nullptr, &list);
  if (list != nullptr) ::freeaddrinfo(list);
  if (error == 0) return {"resolve", State::good, endpoint.host + " has an address"};
  return {"resolve", State::bad,
          "the name " + endpoint.host + " has no address (" + ::gai_strerror(error) +
              "): correct the host in ALPHASWARM_OTEL_ENDPOINT"};
}

Finding check_tcp(const Endpoint& endpoint) {
  Endpoint clear = endpoint;
  clear.tls = false;
  const auto connection = Connection::open(clear, {}, soon());
  if (connection) return {"tcp", State::good, endpoint.authority() + " takes connections"};
  return {"tcp", State::bad,
          connection.error().message +
              ": start the collector, or correct the port in ALPHASWARM_OTEL_ENDPOINT"};
}

// What the other end says first, or in reply to an HTTP/1.1 request.
enum class Speaks : std::uint8_t { nothing, http1, http2, tls };

std::string ask(Connection& connection, const Endpoint& endpoint) {
  std::string request = "POST /v1/traces HTTP/1.1\r\nHost: " + endpoint.authority() +
                        "\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\n"
                        "Connection: close\r\n\r\n";
  const auto deadline = soon();
  const iovec whole{request.data(), request.size()};
  static_cast<void>(connection.write({&whole, 1}));  // fits any socket's buffer
  std::string reply;
  char bytes[1024];
  while (reply.size() < 9 && connection.wait(false, deadline)) {
    const auto got = connection.read(bytes, sizeof bytes);
    if (got.status == Connection::Status::closed) break;
    if (got.status == Connection::Status::ok) reply.append(bytes, got.size);
  }
  return reply;
}

Speaks understand(std::string_view reply) {
  if (reply.starts_with("HTTP/1.")) {
    const bool asks_for_tls = reply.find("HTTPS") != std::string_view::npos;
    return asks_for_tls ? Speaks::tls : Speaks::http1;
  }
  if (!reply.empty() && reply[0] == '\x15') return Speaks::tls;  // an alert record
  // The nine bytes in front of a SETTINGS (4) or GOAWAY (7) frame of connection 0.
  if (reply.size() >= 9 && (reply[3] == '\x04' || reply[3] == '\x07')) return Speaks::http2;
  return Speaks::nothing;
}

// Something that waits for a TLS handshake stays silent in clear text: then TLS is tried.
bool offers_tls(const Endpoint& endpoint) {
  Endpoint secure = endpoint;
  secure.tls = true;
  const auto opened = Connection::open(secure, {}, soon());
  return opened || opened.error().message.find("certificate") != std::string::npos;
}

Finding tls_failure(const Endpoint& endpoint, const std::string& why) {
  Endpoint clear = endpoint;
  clear.tls = false;
  if (const auto connection = Connection::open(clear, {}, soon())) {
    const Speaks speaks = understand(ask(**connection, endpoint));
    if (speaks == Speaks::http1 || speaks == Speaks::http2) {
      return {"tls", State::bad,
              endpoint.authority() +
                  " speaks without TLS: write http:// in place of https:// in "
                  "ALPHASWARM_OTEL_ENDPOINT"};
    }
  }
  return {"tls", State::bad,
          why +
              ": give the file of the authority that signed the certificate in "
              "OTEL_EXPORTER_OTLP_CERTIFICATE, or the name that is in the certificate in "
              "ALPHASWARM_OTEL_ENDPOINT"};
}

Finding check_protocol(const observability::Config& config, const Endpoint& endpoint,
                       Connection& connection) {
  const bool grpc = config.protocol == Protocol::grpc;
  Speaks speaks = understand(ask(connection, endpoint));
  if (!endpoint.tls && speaks == Speaks::nothing && offers_tls(endpoint)) speaks = Speaks::tls;
  const std::string& where = endpoint.authority();
  if (speaks == Speaks::tls) {
    return {"tls", State::bad,
            where + " wants TLS: write https:// in place of http:// in ALPHASWARM_OTEL_ENDPOINT"};
  }
  if (grpc && speaks == Speaks::http1) {
    return {"protocol", State::bad,
            where +
                " speaks HTTP/1.1, not gRPC: set ALPHASWARM_OTEL_PROTOCOL=http/protobuf, or the "
                "receiver's gRPC port, by custom 4317"};
  }
  if (!grpc && speaks == Speaks::http2) {
    return {"protocol", State::bad,
            where +
                " speaks gRPC, not HTTP/1.1: set ALPHASWARM_OTEL_PROTOCOL=grpc, or the receiver's "
                "HTTP port, by custom 4318"};
  }
  if (speaks == Speaks::nothing) {
    return {"protocol", State::bad,
            where +
                " takes connections and answers nothing that is HTTP: another program has "
                "this port; correct it in ALPHASWARM_OTEL_ENDPOINT"};
  }
  return {"protocol", State::good, where + (grpc ? " speaks gRPC" : " speaks HTTP")};
}

}  // namespace

Findings check_endpoint(const observability::Config& config) {
  Findings findings;
  const std::uint16_t port = config.protocol == Protocol::grpc ? 4317 : 4318;
  const auto endpoint = observability::parse_endpoint(config.endpoint, port);
  if (!endpoint) return {{"settings", State::bad, endpoint.error().message}};
  findings.push_back(check_resolve(*endpoint));
  if (findings.back().state == State::bad) return findings;
  findings.push_back(check_tcp(*endpoint));
  if (findings.back().state == State::bad) return findings;
  const observability::TlsFiles files{config.ca_file, config.client_cert_file,
                                      config.client_key_file};
  const auto connection = Connection::open(*endpoint, files, soon());
  if (!connection) {
    findings.push_back(tls_failure(*endpoint, connection.error().message));
    return findings;
  }
  if (endpoint->tls) findings.push_back({"tls", State::good, "certificate and name are right"});
  findings.push_back(check_protocol(config, *endpoint, **connection));
  return findings;
}

}  // namespace alphaswarm::cli::doctor
