#pragma once

// Sends the requests of metrics and logs: one receiver, retries within a deadline. Spans have
// `sdk/delivery`, which also keeps their account.

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "alphaswarm/base/error.hpp"
#include "alphaswarm/base/random.hpp"
#include "alphaswarm/observability/api/config.hpp"
#include "alphaswarm/observability/export/batch_sink.hpp"
#include "alphaswarm/observability/export/signal.hpp"

namespace alphaswarm::observability {

// Where metrics or logs go: the same fields as Config has for spans.
struct ReceiverConfig {
  // "host:port", "http://host:port" or "https://host:port"; for http_protobuf with or without the
  // signal's path ("/v1/metrics", "/v1/logs"). Empty: nothing is sent but to `sink`.
  std::string endpoint{};
  Protocol protocol = Protocol::grpc;
  std::vector<std::pair<std::string, std::string>> headers{};  // sent with every request
  std::string ca_file{};           // PEM; empty: the system's authorities
  std::string client_cert_file{};  // PEM, for mutual TLS
  std::string client_key_file{};
  bool gzip = false;
  std::int64_t timeout_ms = 10'000;  // of one export, its retries included

  // Takes the requests within the process instead of an endpoint: a Batch then holds the
  // Export{Metrics,Logs}ServiceRequest, and its `span_count` the data points or log records.
  std::shared_ptr<BatchSink> sink{};

  [[nodiscard]] bool sends() const noexcept { return sink != nullptr || !endpoint.empty(); }
};

// send() belongs to one thread; stop_by() to any.
class SignalExporter {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // Fails on an endpoint that does not parse. With nothing to send to, everything is accepted.
  [[nodiscard]] static Result<std::unique_ptr<SignalExporter>> create(const ReceiverConfig& config,
                                                                      Signal signal);

  // Returns when the receiver has taken or refused the request for good, when the retries
  // (exponential backoff with jitter, or what the receiver asks for) have used up the configured
  // timeout, or at the deadline. Warns once when exports begin to fail, and once per life when a
  // receiver refuses a part. `items` is the number of points or records in the request.
  SinkResult send(std::string_view request, std::uint32_t items, TimePoint deadline);
  // Cuts what is under way short.
  void stop_by(TimePoint deadline);

 private:
  SignalExporter(const ReceiverConfig& config, Signal signal, std::shared_ptr<BatchSink> sink);
  [[nodiscard]] TimePoint limit(TimePoint given);
  void pause(std::chrono::milliseconds time, TimePoint until);
  void report(const SinkResult& result);

  std::string_view what_;  // "metrics" or "logs", for the operator
  std::chrono::milliseconds timeout_;
  std::shared_ptr<BatchSink> sink_;
  Random random_;
  bool failing_ = false;
  bool reported_rejection_ = false;

  std::mutex mutex_;
  std::condition_variable stopped_;
  TimePoint stop_deadline_ = TimePoint::max();
};

}  // namespace alphaswarm::observability
