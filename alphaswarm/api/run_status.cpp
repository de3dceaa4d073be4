#include "alphaswarm/api/run_status.hpp"

#include <utility>

#include "alphaswarm/trading/paper/session.hpp"

namespace alphaswarm::api {

bool has_ended(const persistence::RunRow& run) noexcept {
  return run.status == "completed" || run.status == "cancelled" || run.status == "error";
}

persistence::RunRow with_liveness(persistence::RunRow run, UnixNanos now) {
  trading::paper::ShownStatus shown = trading::paper::shown_status(run, now);
  run.status = std::move(shown.status);
  run.status_reason = std::move(shown.reason);
  return run;
}

}  // namespace alphaswarm::api
