#pragma once

// OTLP over gRPC: unary calls over libnghttp2 on the calling thread. Own transport, so that an
// export never traces itself, starts no thread and survives a fork (its owner makes a new one).

#include <memory>
#include <string>
#include <vector>

#include "alphaswarm/base/error.hpp"
#include "alphaswarm/observability/export/batch_sink.hpp"
#include "alphaswarm/observability/export/connection.hpp"
#include "alphaswarm/observability/export/signal.hpp"

namespace alphaswarm::observability {

struct GrpcSinkConfig {
  Endpoint endpoint;  // https: TLS; http: HTTP/2 in clear text with prior knowledge
  TlsFiles tls;
  std::vector<std::pair<std::string, std::string>> headers;  // metadata of every call
  bool gzip = false;
  Signal signal = Signal::traces;
};

// Keeps one connection open between calls. For one thread.
class GrpcSink final : public BatchSink {
 public:
  explicit GrpcSink(GrpcSinkConfig config);
  ~GrpcSink() override;
  GrpcSink(const GrpcSink&) = delete;
  GrpcSink& operator=(const GrpcSink&) = delete;

  [[nodiscard]] SinkResult send(const Batch& batch, std::chrono::milliseconds timeout) override;

 private:
  class Session;  // a connection with HTTP/2 on it

  GrpcSinkConfig config_;
  std::unique_ptr<Session> session_;
};

}  // namespace alphaswarm::observability
