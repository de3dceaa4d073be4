#pragma once

// OTLP over HTTP with protobuf bodies, by libcurl on the calling thread.

#include <memory>
#include <string>
#include <vector>

#include "alphaswarm/observability/export/batch_sink.hpp"
#include "alphaswarm/observability/export/connection.hpp"

namespace alphaswarm::observability {

struct HttpSinkConfig {
  Endpoint endpoint;  // its path is completed to …/v1/traces
  TlsFiles tls;
  std::vector<std::pair<std::string, std::string>> headers;
  bool gzip = false;
};

// Keeps its connection open between calls. For one thread.
class HttpSink final : public BatchSink {
 public:
  explicit HttpSink(HttpSinkConfig config);
  ~HttpSink() override;
  HttpSink(const HttpSink&) = delete;
  HttpSink& operator=(const HttpSink&) = delete;

  [[nodiscard]] SinkResult send(const Batch& batch, std::chrono::milliseconds timeout) override;

 private:
  struct Curl;
  HttpSinkConfig config_;
  std::string url_;
  std::unique_ptr<Curl> curl_;
};

}  // namespace alphaswarm::observability
