#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "alphaswarm/query/query_service.hpp"

namespace alphaswarm::query {

struct ServiceEdge {
  std::string parent;
  std::string child;
  std::uint64_t calls = 0;
};

// Which service's spans have children in which service, in traces that started in [from, to]
// (Unix ns); edges of a service to itself included. Sorted. Stops early after two seconds.
[[nodiscard]] std::vector<ServiceEdge> service_graph(const QueryService& query,
                                                     std::uint64_t from_ns, std::uint64_t to_ns);

}  // namespace alphaswarm::query
