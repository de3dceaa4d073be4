#pragma once

// What a user writes to configure tracing.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "alphaswarm/base/ids.hpp"

namespace alphaswarm::observability {

class BatchSink;
class Sampler;

enum class Protocol : std::uint8_t { grpc, http_protobuf, http_json };

enum class Propagator : std::uint8_t { trace_context, baggage, b3, b3_multi, jaeger };

// Hears of traces that a flight recorder was made to export, so that other processes can be told.
class TriggerListener {
 public:
  virtual ~TriggerListener() = default;
  // On an export thread: must not throw, and should not block. `reason` is "error", "latency" or
  // what trigger() was given; a trace told by TracerProvider::trigger() is not reported back.
  virtual void triggered(const TraceId& trace, std::string_view reason) = 0;
};

// Bounds of one span. What goes beyond is dropped and counted in the exported span. A whole span
// is also bounded by the size of a chunk, 64 KiB.
struct SpanLimits {
  std::uint32_t attributes = 128;
  std::uint32_t events = 128;
  std::uint32_t links = 128;
  std::uint32_t attributes_per_event = 128;
  std::uint32_t attributes_per_link = 128;
  std::uint32_t value_bytes = 16384;  // longer strings are cut at a code point
};

struct Config {
  std::string service_name = "unknown_service";
  std::vector<std::pair<std::string, std::string>> resource{};  // further resource attributes

  // Where to send: "host:port", "http://host:port" (clear text HTTP/2) or "https://host:port"; for
  // HTTP with or without "/v1/traces". Empty: nothing is sent but to `sink`.
  std::string endpoint{};
  Protocol protocol = Protocol::grpc;
  std::vector<std::pair<std::string, std::string>> headers{};  // sent with every request
  std::string ca_file{};           // PEM; empty: the system's authorities
  std::string client_cert_file{};  // PEM, for mutual TLS
  std::string client_key_file{};
  bool gzip = false;
  std::int64_t timeout_ms = 10'000;  // of one export, its retries included

  // Batches that the endpoint's receiver does not take now are kept in this folder, a subfolder for
  // each service, and sent when it is back or the service starts again; see spill_folder.hpp.
  // Empty: they are retried for `timeout_ms`, then dropped.
  std::string spill_folder{};
  // On disk, of a service; the oldest batches go. At least least_spill_bytes().
  std::uint64_t spill_max_bytes = 67'108'864;

  // Takes the spans within the process; may be combined with an endpoint. Shared, because an
  // in-process collector outlives and serves several providers.
  std::shared_ptr<BatchSink> sink{};
  bool console = false;  // also print the spans to standard error
  // Also append the spans to this file, a line of OTLP/JSON for each batch; see file.hpp.
  std::string file{};
  std::uint64_t file_max_bytes = 100'000'000;  // then it is renamed to <file>.1

  // Root spans are kept with this probability, decided by the trace id; children follow their
  // parent. In [0, 1].
  double sample_ratio = 1.0;
  bool parent_based = true;  // false: the ratio is applied whatever the parent says
  // False: the ratio by the older rule of low trace ids: see trace_id_ratio_sampler().
  bool consistent_ratio = true;
  // A rule of one's own (sampler.hpp) in place of the three above.
  std::shared_ptr<const Sampler> sampler{};

  // The flight recorder: bytes of spans kept though they are not sampled, beside the pool of
  // chunks; 0: off. When a span of a trace ends with status error, takes `latency_ms` (0: never)
  // or trigger() is called in it, all of the trace that is still kept, and what ends later, is
  // exported. A span that is not sampled then costs what a sampled one does.
  std::uint64_t flight_recorder_bytes = 0;
  std::int64_t flight_recorder_latency_ms = 0;
  std::shared_ptr<TriggerListener> on_trigger{};

  // In which forms extract() and inject() read and write contexts; empty: none.
  std::vector<Propagator> propagators{Propagator::trace_context, Propagator::baggage};

  // When there is no room for a finished span: false drops and counts it, true makes the ending
  // thread wait (for batch jobs that must lose nothing; never in a trading loop).
  bool on_full_wait = false;
  // The simple processor in place of the batch processor: each span is a request of its own, sent
  // within some milliseconds of its end; the next two are then without effect. For trying out.
  bool simple = false;
  std::int64_t schedule_delay_ms = 1'000;     // longest wait of a finished span before its export
  std::uint32_t max_batch_spans = 8'192;      // spans in one request
  std::uint32_t max_batch_bytes = 1'048'576;  // size of one request, about
  std::int64_t shutdown_timeout_ms = 5'000;   // of the last flush, at destruction
  SpanLimits limits{};

  // Room for two batches, one that is being sent and a new one; each may exceed its bound by a
  // span.
  [[nodiscard]] std::uint64_t least_spill_bytes() const noexcept {
    constexpr std::uint64_t kSpanBytes = 65'536;
    return 2 * (max_batch_bytes + kSpanBytes);
  }
};

}  // namespace alphaswarm::observability
