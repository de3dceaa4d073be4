#include "alphaswarm/observability/export/signal_exporter.hpp"

#include <algorithm>

#include "alphaswarm/base/log.hpp"
#include "alphaswarm/observability/export/otlp_grpc.hpp"
#include "alphaswarm/observability/export/otlp_http.hpp"

namespace alphaswarm::observability {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

// As other OpenTelemetry exporters: doubling from one second to at most five.
constexpr milliseconds kFirstBackoff{1'000};
constexpr milliseconds kMaxBackoff{5'000};

class AcceptingSink final : public BatchSink {
 public:
  SinkResult send(const Batch&, milliseconds) override { return {}; }
};

Result<std::shared_ptr<BatchSink>> make_sink(const ReceiverConfig& config, Signal signal) {
  if (config.sink != nullptr) return config.sink;
  if (config.endpoint.empty()) return std::make_shared<AcceptingSink>();
  const bool grpc = config.protocol == Protocol::grpc;
  auto endpoint = parse_endpoint(config.endpoint, grpc ? 4317 : 4318);
  if (!endpoint) return std::unexpected(endpoint.error());
  TlsFiles tls{config.ca_file, config.client_cert_file, config.client_key_file};
  if (grpc) {
    GrpcSinkConfig made{std::move(*endpoint), std::move(tls), config.headers, config.gzip};
    made.signal = signal;
    return std::make_shared<GrpcSink>(std::move(made));
  }
  HttpSinkConfig made{std::move(*endpoint), std::move(tls), config.headers, config.gzip};
  made.signal = signal;
  return HttpSink::create(std::move(made));
}

}  // namespace

Result<std::unique_ptr<SignalExporter>> SignalExporter::create(const ReceiverConfig& config,
                                                               Signal signal) {
  auto sink = make_sink(config, signal);
  if (!sink) return std::unexpected(sink.error());
  return std::unique_ptr<SignalExporter>(new SignalExporter(config, signal, std::move(*sink)));
}

SignalExporter::SignalExporter(const ReceiverConfig& config, Signal signal,
                               std::shared_ptr<BatchSink> sink)
    : what_(http_path(signal).substr(4)),
      timeout_(config.timeout_ms),
      sink_(std::move(sink)),
      random_(thread_random().next()) {}

SinkResult SignalExporter::send(std::string_view request, std::uint32_t items, TimePoint deadline) {
  const TimePoint until = std::min(deadline, steady_clock::now() + timeout_);
  SinkResult result{.status = SinkResult::rejected, .message = "no time left to send"};
  for (milliseconds backoff = kFirstBackoff;; backoff = std::min(backoff * 2, kMaxBackoff)) {
    const auto left = duration_cast<milliseconds>(limit(until) - steady_clock::now());
    if (left <= milliseconds(0)) break;
    result = sink_->send({request, items}, left);
    if (result.status != SinkResult::retry) break;
    report(result);
    const auto jittered = milliseconds(static_cast<std::int64_t>(
        static_cast<double>(backoff.count()) * (0.5 + random_.uniform() / 2)));
    pause(std::max(result.retry_after, jittered), until);
  }
  result.rejected_spans = std::min(result.rejected_spans, items);
  report(result);
  return result;
}

SignalExporter::TimePoint SignalExporter::limit(TimePoint given) {
  const std::scoped_lock lock(mutex_);
  return std::min(given, stop_deadline_);
}

void SignalExporter::pause(milliseconds time, TimePoint until) {
  std::unique_lock lock(mutex_);
  const TimePoint end = std::min(until, steady_clock::now() + time);
  // A stop may have brought the end nearer: one more try, just before its deadline.
  stopped_.wait_until(lock, end, [&] { return stop_deadline_ < end; });
  if (stop_deadline_ < end) {
    stopped_.wait_until(lock, stop_deadline_ - milliseconds(50), [] { return false; });
  }
}

void SignalExporter::stop_by(TimePoint deadline) {
  const std::scoped_lock lock(mutex_);
  stop_deadline_ = deadline;
  stopped_.notify_all();
}

void SignalExporter::report(const SinkResult& result) {
  const bool failed = result.status != SinkResult::accepted;
  if (!failed && result.rejected_spans != 0 && !std::exchange(reported_rejection_, true)) {
    log_warning(what_, "the receiver refused " + std::to_string(result.rejected_spans) + ": " +
                           result.message + " (said once)");
  }
  if (failed == std::exchange(failing_, failed)) return;  // once for each change
  if (failed) {
    log_warning(what_, "cannot be exported: " + result.message);
  } else {
    log_info(what_, "are exported again");
  }
}

}  // namespace alphaswarm::observability
