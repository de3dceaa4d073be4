#include "alphaswarm/tracestore/search.hpp"

#include <algorithm>

#include "alphaswarm/base/time.hpp"

namespace alphaswarm::tracestore {
namespace {

std::vector<TraceSummary> candidates(const MemoryStore& store, const SpanFilter& filter) {
  const std::uint64_t service = filter.service.empty() ? 0 : service_bit(filter.service);
  const std::uint64_t operation = filter.service.empty() || filter.operation.empty()
                                      ? 0
                                      : operation_bit(filter.service, filter.operation);
  std::vector<TraceSummary> found = store.list([&](const TraceSummary& trace) {
    return trace.min_start_ns <= filter.start_max_ns && trace.max_end_ns >= filter.start_min_ns &&
           trace.max_duration_ns >= filter.min_duration_ns &&
           (trace.service_bits & service) == service &&
           (trace.operation_bits & operation) == operation;
  });
  std::ranges::sort(found, [](const TraceSummary& a, const TraceSummary& b) {
    return a.min_start_ns != b.min_start_ns ? a.min_start_ns > b.min_start_ns : a.id < b.id;
  });
  return found;
}

}  // namespace

SearchResult search(const MemoryStore& store, const SearchQuery& query) {
  const std::int64_t deadline = monotonic_ns() + static_cast<std::int64_t>(query.budget_ns);
  const SpanMatcher matcher(query.filter);
  SearchResult result;
  for (const TraceSummary& candidate : candidates(store, query.filter)) {
    const std::size_t found = query.spans ? result.spans.size() : result.traces.size();
    if (found >= query.limit || monotonic_ns() > deadline) {
      result.complete = false;
      result.more = found >= query.limit;
      return result;
    }
    auto trace = store.find(candidate.id);
    if (!trace) continue;  // evicted meanwhile
    std::uint64_t matched = 0;
    for (const BlockPtr& block : trace->blocks) {
      result.scanned_spans += block->records.size();
      matcher.each_match(*block, [&](std::uint32_t index) {
        ++matched;
        if (query.spans && result.spans.size() < query.limit)
          result.spans.push_back({block, index});
        return true;
      });
    }
    if (matched != 0 && !query.spans) {
      result.traces.push_back({candidate, std::move(*trace), matched});
    }
  }
  return result;
}

}  // namespace alphaswarm::tracestore
