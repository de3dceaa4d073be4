#pragma once

// Trouble on purpose: the simulated exchange can be slow, refuse, or answer nonsense, so that
// clients are tested and demos show what a trace says about it.

#include <boost/json/value.hpp>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>

#include "alphaswarm/base/error.hpp"
#include "alphaswarm/base/random.hpp"

namespace alphaswarm::trading::exchange {

// What a request meets. Applies to /v2 and /sim/v1/advance alike, never to /sim/v1/faults.
struct FaultSettings {
  std::chrono::milliseconds latency{0};         // before every answer, 0–60,000
  std::chrono::milliseconds latency_jitter{0};  // added, uniform in [0, jitter], 0–60,000
  double error_rate = 0;                        // share of requests that fail, 0–1
  int fail_next = 0;                            // this many requests fail first, whatever the rate
  int error_status = 503;                       // 400–599
  std::optional<int> retry_after_seconds;       // sent with the failure
  bool after_effect =
      false;               // fail after the request did its work: the answer is lost, not the act
  bool garbage = false;    // answer 200 with a body that is not JSON instead of `error_status`
  std::uint64_t seed = 1;  // same seed, same order of requests: same faults
};

// From {"latency_ms", "latency_jitter_ms", "error_rate", "fail_next", "error_status",
// "retry_after_seconds", "after_effect", "garbage", "seed"}; the error names the key.
[[nodiscard]] Result<FaultSettings> parse_faults(const boost::json::value& value);
[[nodiscard]] boost::json::value to_json(const FaultSettings& settings);

// Decides for each request. Thread-safe.
class Faults {
 public:
  struct Verdict {
    std::chrono::nanoseconds delay{0};
    bool fails = false;
    FaultSettings settings;  // as they were when the request came
  };

  explicit Faults(FaultSettings settings) : settings_(settings), random_(settings.seed) {}

  void set(FaultSettings settings);
  [[nodiscard]] FaultSettings settings() const;
  [[nodiscard]] Verdict next();

 private:
  mutable std::mutex mutex_;
  FaultSettings settings_;
  Random random_;
};

}  // namespace alphaswarm::trading::exchange
