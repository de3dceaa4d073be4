#pragma once

// The seam between the SDK and whoever takes its spans: an exporter, an in-process collector, a
// test.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace alphaswarm::observability {

struct Batch {
  // One complete opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest in protobuf,
  // valid during the call only.
  std::string_view request;
  std::uint32_t span_count = 0;
};

struct SinkResult {
  enum Status : std::uint8_t {
    accepted,  // taken, but for `rejected_spans`
    retry,     // not taken; the same batch may be offered again, not before `retry_after`
    rejected,  // never send this batch again
  };
  Status status = accepted;
  std::chrono::milliseconds retry_after{0};  // 0: the caller's own backoff
  std::uint32_t rejected_spans = 0;          // of an accepted batch (OTLP partial success)
  std::string message{};                     // why, when not plainly accepted
};

// An implementation MUST return within about `timeout`, MUST NOT throw, and MAY block. It is
// called by one export thread at a time for each provider it is given to; spans opened on that
// thread are not recorded.
class BatchSink {
 public:
  virtual ~BatchSink() = default;
  [[nodiscard]] virtual SinkResult send(const Batch& batch, std::chrono::milliseconds timeout) = 0;
  // For a sink that answers before it is done: waits until what it accepted is delivered; false if
  // that took longer than `timeout`.
  [[nodiscard]] virtual bool flush(std::chrono::milliseconds timeout) {
    static_cast<void>(timeout);
    return true;
  }
};

}  // namespace alphaswarm::observability
