#include "alphaswarm/query/service_graph.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "alphaswarm/base/time.hpp"

namespace alphaswarm::query {

std::vector<ServiceEdge> service_graph(const QueryService& query, std::uint64_t from_ns,
                                       std::uint64_t to_ns) {
  constexpr std::int64_t kBudgetNs = 2'000'000'000;
  const std::int64_t deadline = monotonic_ns() + kBudgetNs;
  auto traces = query.store().list([&](const tracestore::TraceSummary& trace) {
    return trace.min_start_ns >= from_ns && trace.min_start_ns <= to_ns;
  });
  std::ranges::sort(traces, std::greater{}, &tracestore::TraceSummary::min_start_ns);
  std::map<std::pair<std::string, std::string>, std::uint64_t> calls;
  for (const tracestore::TraceSummary& summary : traces) {
    if (monotonic_ns() > deadline) break;
    const auto trace = query.trace(summary.id);
    if (!trace) continue;
    const std::size_t services = trace->services().size();
    std::vector<std::uint64_t> counts(services * services);
    for (const AssembledTrace::Span& span : trace->spans()) {
      if (span.parent < 0) continue;
      const auto& parent = trace->spans()[static_cast<std::size_t>(span.parent)];
      ++counts[parent.service * services + span.service];
    }
    for (std::size_t i = 0; i < counts.size(); ++i) {
      if (counts[i] == 0) continue;
      calls[{std::string(trace->services()[i / services]),
             std::string(trace->services()[i % services])}] += counts[i];
    }
  }
  std::vector<ServiceEdge> edges;
  for (const auto& [pair, count] : calls) edges.push_back({pair.first, pair.second, count});
  return edges;
}

}  // namespace alphaswarm::query
