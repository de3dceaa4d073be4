#pragma once

#include <memory>

#include "alphaswarm/collector/intake.hpp"
#include "alphaswarm/net/http_server.hpp"

namespace alphaswarm::collector {

// POST /v1/traces in protobuf or JSON, compressed or not; CORS for senders in browsers.
class OtlpHttpReceiver {
 public:
  // unavailable if the port is taken. `runtime` and `intake` MUST outlive the receiver.
  [[nodiscard]] static Result<std::unique_ptr<OtlpHttpReceiver>> start(
      net::Runtime& runtime, OtlpHttpReceiverConfig config, Intake& intake);
  [[nodiscard]] std::uint16_t port() const noexcept { return server_->port(); }
  void stop() { server_->stop(); }

 private:
  explicit OtlpHttpReceiver(std::unique_ptr<net::HttpServer> server) : server_(std::move(server)) {}
  std::unique_ptr<net::HttpServer> server_;
};

// Whether a pattern with "*" for any run of characters fits the whole text.
[[nodiscard]] bool wildcard_match(std::string_view pattern, std::string_view text) noexcept;

}  // namespace alphaswarm::collector
