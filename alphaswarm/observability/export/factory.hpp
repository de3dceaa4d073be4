#pragma once

#include <memory>
#include <vector>

#include "alphaswarm/base/error.hpp"
#include "alphaswarm/observability/api/config.hpp"
#include "alphaswarm/observability/export/batch_sink.hpp"

namespace alphaswarm::observability {

// The sinks a configuration asks for, the one whose answers count first: the in-process sink, else
// the endpoint's exporter. The others are given queues of their own. Never empty: with nothing to
// send to, a sink that discards.
[[nodiscard]] Result<std::vector<std::shared_ptr<BatchSink>>> make_sinks(const Config& config);

}  // namespace alphaswarm::observability
