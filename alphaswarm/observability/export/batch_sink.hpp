#pragma once

// The seam between the SDK and whoever takes its spans: an exporter, an in-process collector, a
// test.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "alphaswarm/observability/export/request_bytes.hpp"

namespace alphaswarm::observability {

struct Batch {
  // One complete opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest in protobuf,
  // valid during the call only.
  RequestBytes request;
  std::uint32_t span_count = 0;
};

struct SinkResult {
  enum Status : std::uint8_t {
    accepted,  // taken, but for `rejected_spans`
    retry,     // not taken; the same batch may be offered again, not before `retry_after`
    rejected,  // never send this batch again
    kept,      // not taken, but stored: the sink sends it later by itself
  };
  Status status = accepted;
  std::chrono::milliseconds retry_after{0};  // 0: the caller's own backoff
  std::uint32_t rejected_spans = 0;          // of an accepted batch (OTLP partial success)
  std::string message{};                     // why, when not plainly accepted
  bool asked = true;                         // false: the receiver was not
};

// What became of the spans in a spill folder, as far as one sink had a part in it.
struct SpillAccount {
  std::atomic<std::uint64_t> kept{0};         // written to it
  std::atomic<std::uint64_t> sent{0};         // from it, whoever wrote them
  std::atomic<std::uint64_t> overwritten{0};  // removed for newer ones: the folder was full
  std::atomic<std::uint64_t> rejected{0};     // by the receiver, when sent from it
  std::atomic<std::uint64_t> set_aside{0};    // files that were torn or not ours
  std::atomic<std::uint64_t> errors{0};       // writes to it that failed, e.g. on a full disk
  std::atomic<std::uint64_t> lost{0};         // batches given up because of that
};

// An implementation MUST return within about `timeout`, MUST NOT throw, and MAY block. It is
// called by one export thread at a time for each provider it is given to; spans opened on that
// thread are not recorded.
class BatchSink {
 public:
  virtual ~BatchSink() = default;
  [[nodiscard]] virtual SinkResult send(const Batch& batch, std::chrono::milliseconds timeout) = 0;
  // For a batch that there is no time to offer (again): a sink that can store it does.
  [[nodiscard]] virtual SinkResult keep(const Batch& batch) {
    static_cast<void>(batch);
    return {.status = SinkResult::rejected, .message = "no time left to send", .asked = false};
  }
  // Called often, and between batches, for work of the sink's own; as send(), it may block.
  virtual void idle() {}
  // Null if it keeps none. Shared: it is read, and grows, after the sink is gone.
  [[nodiscard]] virtual std::shared_ptr<const SpillAccount> spill() const noexcept {
    return nullptr;
  }
  // A provider's shutdown, on any thread: its calls, and one under way, SHOULD be over by
  // `deadline`. A sink that several providers share need not listen.
  virtual void stop_by(std::chrono::steady_clock::time_point deadline) {
    static_cast<void>(deadline);
  }
  // For a sink that answers before it is done: waits until what it accepted is delivered; false if
  // that took longer than `timeout`.
  [[nodiscard]] virtual bool flush(std::chrono::milliseconds timeout) {
    static_cast<void>(timeout);
    return true;
  }
};

}  // namespace alphaswarm::observability
