#include "alphaswarm/api/run_status.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <string>

namespace alphaswarm::api {

namespace json = boost::json;

namespace {

constexpr double kUsualHeartbeatSeconds = 30;  // the default of session.heartbeat_seconds
constexpr int kMissedBeats = 3;

double heartbeat_seconds(const persistence::RunRow& run) {
  boost::system::error_code error;
  const json::value config = json::parse(run.config_json, error);
  const json::object* document = error ? nullptr : config.if_object();
  const json::value* session = document != nullptr ? document->if_contains("session") : nullptr;
  if (session == nullptr || !session->is_object()) return kUsualHeartbeatSeconds;
  const json::value* seconds = session->get_object().if_contains("heartbeat_seconds");
  if (seconds == nullptr || !seconds->is_number()) return kUsualHeartbeatSeconds;
  return seconds->to_number<double>();
}

}  // namespace

bool has_ended(const persistence::RunRow& run) noexcept {
  return run.status == "completed" || run.status == "cancelled" || run.status == "error";
}

persistence::RunRow with_liveness(persistence::RunRow run, UnixNanos now) {
  if (has_ended(run) || run.status == "pending") return run;
  const UnixNanos last = run.last_heartbeat_at.value_or(run.started_at);
  const double silence = static_cast<double>(now.value - last.value) * 1e-9;
  const double every = heartbeat_seconds(run);
  if (silence <= kMissedBeats * every) return run;
  run.status_reason = "was " + run.status + "; no heartbeat for " +
                      std::to_string(static_cast<std::int64_t>(silence)) + " s";
  run.status = "stale";
  return run;
}

}  // namespace alphaswarm::api
