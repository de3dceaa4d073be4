#pragma once

// Keeps spans in memory, for the tests of users and our own.
//
//   auto memory = std::make_shared<observability::MemorySink>();
//   auto provider = observability::TracerProvider::create({.service_name = "test", .sink =
//   memory}); …
//   (*provider)->force_flush();
//   EXPECT_EQ(memory->tree(), "GET /paper\n  SELECT runs\n");

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "alphaswarm/observability/api/span_context.hpp"
#include "alphaswarm/observability/export/batch_sink.hpp"

namespace alphaswarm::observability {

using TextAttributes = std::map<std::string, std::string>;  // values as people write them

struct FinishedEvent {
  std::string name;
  std::uint64_t time_ns = 0;
  TextAttributes attributes;
  std::uint32_t dropped_attributes = 0;
};

struct FinishedLink {
  TraceId trace_id;
  SpanId span_id;
  std::string tracestate;
  std::uint32_t flags = 0;
  TextAttributes attributes;
};

struct FinishedSpan {
  std::string service_name;
  TextAttributes resource;
  std::string scope;  // its name
  std::string scope_version;
  TextAttributes scope_attributes;
  std::string schema_url;  // of the scope
  TraceId trace_id;
  SpanId span_id;
  SpanId parent_id;  // invalid: a root
  std::string tracestate;
  std::string name;
  SpanKind kind = SpanKind::unspecified;
  StatusCode status = StatusCode::unset;
  std::string status_message;
  std::uint64_t start_ns = 0;
  std::uint64_t end_ns = 0;
  std::uint32_t flags = 0;  // OTLP's: W3C trace flags, 0x100 known, 0x200 remote parent
  TextAttributes attributes;
  std::vector<FinishedEvent> events;
  std::vector<FinishedLink> links;
  std::uint32_t dropped_attributes = 0;
  std::uint32_t dropped_events = 0;
  std::uint32_t dropped_links = 0;
};

// Thread-safe. Grows without bound: for tests.
class MemorySink final : public BatchSink {
 public:
  [[nodiscard]] SinkResult send(const Batch& batch, std::chrono::milliseconds timeout) override;

  // In the order of arrival; spans end before their parents.
  [[nodiscard]] std::vector<FinishedSpan> spans() const;
  // The first of that name; fails the caller's test by an empty name if there is none.
  [[nodiscard]] FinishedSpan find(std::string_view name) const;
  // Names, indented by depth; siblings by start time. A span whose parent is not here is a root.
  [[nodiscard]] std::string tree() const;
  [[nodiscard]] std::vector<std::string> requests() const;  // as they came
  void clear();

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
};

}  // namespace alphaswarm::observability
