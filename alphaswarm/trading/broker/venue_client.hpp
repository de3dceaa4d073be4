#pragma once

// HTTP calls to a venue that answers in JSON: headers, rate limit, retries.

#include <boost/json/value.hpp>
#include <chrono>
#include <functional>
#include <string>
#include <utility>

#include "alphaswarm/net/http_client.hpp"
#include "alphaswarm/trading/broker/rate_limiter.hpp"
#include "alphaswarm/trading/broker/retry.hpp"

namespace alphaswarm::trading {

// How the client waits; replaced by tests that do not want to.
struct Waiting {
  std::function<net::task<Result<void>>(std::chrono::nanoseconds)> sleep;  // default: sleep_for
  std::function<double()> uniform;  // in [0, 1), for jitter; default: the thread's generator
};

struct VenueConfig {
  std::string venue;     // for messages and spans
  std::string base_url;  // "http://127.0.0.1:8100", no slash at its end
  net::Headers headers;  // sent with every call: credentials
  RetryPolicy retry;
  RateLimit rate_limit;
  std::chrono::milliseconds timeout{10'000};  // of one try
  Waiting waiting;
};

// What the configurations of our clients have in common. Credentials are the caller's to add.
template <class Config>
[[nodiscard]] VenueConfig venue_of(const Config& config, std::string name) {
  VenueConfig venue;
  venue.venue = std::move(name);
  venue.base_url = config.base_url;
  venue.headers.set("Accept", "application/json");
  venue.retry = config.retry;
  venue.rate_limit = config.rate_limit;
  venue.timeout = config.timeout;
  venue.waiting = config.waiting;
  return venue;
}
// The same for Alpaca's services, with their credentials.
template <class Config>
[[nodiscard]] VenueConfig alpaca_venue(const Config& config, std::string name) {
  VenueConfig venue = venue_of(config, std::move(name));
  venue.headers.set("APCA-API-KEY-ID", config.key_id);
  venue.headers.set("APCA-API-SECRET-KEY", config.secret_key);
  return venue;
}

struct VenueCall {
  std::string method = "GET";
  std::string path;  // with query
  std::string body;  // or empty
  std::string content_type = "application/json";
  // Not safe to repeat: tried again only if the venue said that it did nothing (429). What leaves
  // that open is an error at once, unavailable, and the caller finds out.
  bool once = false;
};

struct VenueReply {
  int status = 0;
  boost::json::value body;  // null if there was none
  int resend_count = 0;     // how many tries came before the one that was answered
  bool repeated = false;    // X-Sim-Repeated: the simulated exchange had done this before
  [[nodiscard]] bool ok() const noexcept { return status >= 200 && status < 300; }
  std::string text{};                         // of a refusal that is not JSON: its first 200 bytes
  [[nodiscard]] std::string message() const;  // of an error body: its "message"
};

// Thread-safe.
class VenueClient {
 public:
  // `http` MUST outlive this object.
  VenueClient(VenueConfig config, net::HttpClient& http);

  // The first answer that is neither a refusal of the moment nor nonsense, whatever its status.
  // A call is repeated unless it says otherwise: orders carry their client id, the rest changes
  // nothing twice. A 429 waits as long as Retry-After says, or until X-Ratelimit-Expiry.
  // Each further try is an event `retry` on the current span, with its reason, and an HTTP span of
  // its own with http.request.resend_count. Errors: unavailable when the last try failed too,
  // cancelled.
  net::task<Result<VenueReply>> call(VenueCall call);

  [[nodiscard]] const VenueConfig& config() const noexcept { return config_; }

 private:
  struct Attempt {
    std::optional<VenueReply> reply;  // settled
    std::string problem;              // else: why to try again
    std::optional<std::chrono::nanoseconds> retry_after;
    bool nothing_done = false;  // the venue refused before it did anything
    bool final_error = false;   // do not try again
    Error error;
  };
  net::task<Attempt> attempt(const VenueCall& call, int resend_count);
  net::task<Result<void>> wait_for_place();

  const VenueConfig config_;
  net::HttpClient& http_;
  RateLimiter limiter_;
};

// The error that a status other than 2xx means: unauthenticated (401), permission_denied (403),
// not_found, conflict (409), invalid_argument (422 and other 4xx). Anything else, a 408 included,
// is no answer of the venue but of something on the way, or of a venue that failed: unavailable.
[[nodiscard]] Error to_error(const VenueReply& reply, std::string_view venue,
                             std::string_view what);

}  // namespace alphaswarm::trading
