#pragma once

// OTLP over HTTP with protobuf or JSON bodies, by libcurl on the calling thread.

#include <memory>
#include <string>
#include <vector>

#include "alphaswarm/observability/export/batch_sink.hpp"
#include "alphaswarm/observability/export/connection.hpp"
#include "alphaswarm/observability/export/signal.hpp"

namespace alphaswarm::observability {

struct HttpSinkConfig {
  Endpoint endpoint;  // its path is completed to …/v1/traces, or that of `signal`
  TlsFiles tls;
  std::vector<std::pair<std::string, std::string>> headers;
  bool gzip = false;
  bool json = false;  // traces only
  Signal signal = Signal::traces;
};

// Keeps its connection open between calls. For one thread.
class HttpSink final : public BatchSink {
 public:
  // ErrorCode::unavailable where libcurl is not installed.
  [[nodiscard]] static Result<std::shared_ptr<HttpSink>> create(HttpSinkConfig config);
  ~HttpSink() override;
  HttpSink(const HttpSink&) = delete;
  HttpSink& operator=(const HttpSink&) = delete;

  [[nodiscard]] SinkResult send(const Batch& batch, std::chrono::milliseconds timeout) override;

 private:
  struct Curl;
  HttpSink(HttpSinkConfig config, std::unique_ptr<Curl> curl);

  HttpSinkConfig config_;
  std::string url_;
  std::unique_ptr<Curl> curl_;
  std::string joined_;  // keeps its memory
};

}  // namespace alphaswarm::observability
