#pragma once

#include <cstdint>
#include <vector>

#include "alphaswarm/tracestore/filter.hpp"
#include "alphaswarm/tracestore/memory_store.hpp"

namespace alphaswarm::tracestore {

struct SearchQuery {
  SpanFilter filter{};
  std::size_t limit = 20;                   // traces, or spans
  bool spans = false;                       // find spans instead of whole traces
  std::uint64_t budget_ns = 2'000'000'000;  // after this long it stops and is not complete
};

struct TraceMatch {
  TraceSummary summary;
  StoredTrace trace;
  std::uint64_t matched = 0;  // spans that match, of those looked at
};

struct SpanMatch {
  BlockPtr block;
  std::uint32_t index = 0;
  [[nodiscard]] const SpanRecord& record() const noexcept { return block->records[index]; }
};

struct SearchResult {
  std::vector<TraceMatch> traces;  // newest first
  std::vector<SpanMatch> spans;    // of the newest traces first
  std::uint64_t scanned_spans = 0;
  // False when the budget ended the search, or when the limit did and there may be more.
  bool complete = true;
  bool more = false;  // the limit was reached
};

// Any thread; does not hold up writers.
[[nodiscard]] SearchResult search(const MemoryStore& store, const SearchQuery& query);

}  // namespace alphaswarm::tracestore
