#pragma once

// A trace as indented text, for terminals and for tests that assert on the picture.

#include <string>
#include <vector>

#include "alphaswarm/query/assembled_trace.hpp"
#include "alphaswarm/query/query_service.hpp"

namespace alphaswarm::query {

struct TreeOptions {
  bool fold = true;       // siblings of equal service and name become one line, "× 1,259", and
                          // their children are taken together
  bool durations = true;  // off: nothing in the picture depends on the clock
  bool header = true;     // first line: trace id, spans, services, duration
  // Order of siblings: by their first start, or by name, which concurrency cannot change.
  bool by_name = false;
  unsigned max_depth = 64;
};

// Example:
//   trace 4f3c…  52,301 spans, 4 services, 3.204 117 022 s
//   POST /paper/start [alphaswarm-api server]  12.1 ms
//   └─ apply_async/… [alphaswarm-api producer]  88.2 µs
//      └─ run/… [alphaswarm-worker consumer]  3.19 s
//         └─ paper.session.bar [alphaswarm-paper-trader] × 1,259  min 80 µs, p50 1.2 ms, max 4 ms
// Failed spans carry "ERROR" (folded: "3 ERROR"), open ones "OPEN"; roots whose parent is missing
// "(orphan)". Ends with a newline.
[[nodiscard]] std::string render_tree(const AssembledTrace& trace, const TreeOptions& options = {});

// "412.093 884 ms", "1.204 s", "80 ns": nothing that was measured is rounded away.
[[nodiscard]] std::string exact_duration(std::uint64_t ns);
// "12.1 ms": three digits.
[[nodiscard]] std::string short_duration(std::uint64_t ns);
// "1,259"
[[nodiscard]] std::string grouped(std::uint64_t number);

// A table: trace id, start, duration, spans, errors, services, root.
[[nodiscard]] std::string render_list(const std::vector<TraceOverview>& traces);

}  // namespace alphaswarm::query
