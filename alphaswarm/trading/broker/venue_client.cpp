#include "alphaswarm/trading/broker/venue_client.hpp"

#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <charconv>

#include "alphaswarm/base/counters.hpp"
#include "alphaswarm/base/random.hpp"
#include "alphaswarm/observability/tracing.hpp"

namespace alphaswarm::trading {

namespace json = boost::json;
namespace otel = alphaswarm::observability;

namespace {

VenueConfig with_defaults(VenueConfig config) {
  if (!config.waiting.sleep) {
    config.waiting.sleep = [](std::chrono::nanoseconds time) { return net::sleep_for(time); };
  }
  if (!config.waiting.uniform) config.waiting.uniform = [] { return thread_random().uniform(); };
  while (config.base_url.ends_with('/')) config.base_url.pop_back();
  config.retry.tries = std::max(1, config.retry.tries);
  return config;
}

// Errors of a transport that may work the next time: everything but our own mistakes and stops.
bool is_transport_failure(ErrorCode code) {
  return code == ErrorCode::unavailable || code == ErrorCode::deadline_exceeded ||
         code == ErrorCode::data_loss;
}

// Milliseconds since the epoch, as Tradier says when its minute of allowed calls ends.
std::optional<std::chrono::nanoseconds> time_until(std::string_view value, UnixNanos now) {
  std::int64_t milliseconds = 0;
  const char* const end = value.data() + value.size();
  const auto [stop, error] = std::from_chars(value.data(), end, milliseconds);
  constexpr std::int64_t kLatest = 9'000'000'000'000;
  if (error != std::errc() || stop != end || milliseconds < 0 || milliseconds > kLatest) {
    return std::nullopt;
  }
  return std::chrono::nanoseconds(std::max<std::int64_t>(0, milliseconds * 1'000'000 - now.value));
}

Counter& retries() {
  static Counter& counter = alphaswarm::counter("alphaswarm_broker_retries_total", "",
                                                "Calls to a venue that were tried once more.");
  return counter;
}

}  // namespace

std::string VenueReply::message() const {
  if (const json::object* object = body.if_object()) {
    if (const json::value* said = object->if_contains("message"); said && said->is_string()) {
      return std::string(said->get_string());
    }
  }
  return fmt::format("status {}", status);
}

VenueClient::VenueClient(VenueConfig config, net::HttpClient& http)
    : config_(with_defaults(std::move(config))), http_(http), limiter_(config_.rate_limit) {}

net::task<Result<void>> VenueClient::wait_for_place() {
  const std::chrono::nanoseconds wait = limiter_.reserve(monotonic_ns());
  if (wait.count() <= 0) co_return Result<void>();
  otel::event_on_current("broker.rate_limited",
                         {{"wait_ms", static_cast<double>(wait.count()) * 1e-6}});
  co_return co_await config_.waiting.sleep(wait);
}

net::task<VenueClient::Attempt> VenueClient::attempt(const VenueCall& call, int resend_count) {
  net::ClientRequest request;
  request.method = call.method;
  request.url = config_.base_url + call.path;
  request.headers = config_.headers;
  if (!call.body.empty()) request.headers.set("Content-Type", call.content_type);
  request.body = call.body;
  request.timeout = config_.timeout;
  request.resend_count = resend_count;
  Result<net::HttpResponse> response = co_await http_.send(std::move(request));
  Attempt attempt;
  if (!response) {
    attempt.final_error = !is_transport_failure(response.error().code);
    attempt.problem = response.error().message;
    attempt.error = std::move(response.error());
    co_return attempt;
  }
  VenueReply reply;
  reply.status = response->status;
  reply.resend_count = resend_count;
  reply.repeated = response->headers.contains("X-Sim-Repeated");
  boost::system::error_code malformed;
  if (!response->body.empty()) reply.body = json::parse(response->body, malformed);
  if (is_retryable_status(reply.status)) {
    if (malformed) reply.body = nullptr;  // a proxy's page: the status says enough
    attempt.problem = fmt::format("{} {}", reply.status, reply.message());
    if (const auto after = response->headers.get("Retry-After")) {
      attempt.retry_after = parse_retry_after(*after, now_unix());
    } else if (const auto expiry = response->headers.get("X-Ratelimit-Expiry")) {
      attempt.retry_after = time_until(*expiry, now_unix());
    }
    attempt.nothing_done = reply.status == 429;
    co_return attempt;
  }
  if (malformed && reply.ok()) {
    attempt.problem = "the answer is not JSON";
    co_return attempt;
  }
  if (malformed) {
    reply.body = nullptr;
    reply.text = response->body.substr(0, 200);
  }
  attempt.reply = std::move(reply);
  co_return attempt;
}

net::task<Result<VenueReply>> VenueClient::call(VenueCall call) {
  for (int tried = 1;; ++tried) {
    const Result<void> place = co_await wait_for_place();
    if (!place) co_return std::unexpected(place.error());
    Attempt attempt = co_await this->attempt(call, tried - 1);
    if (attempt.reply) co_return std::move(*attempt.reply);
    if (attempt.final_error) co_return std::unexpected(std::move(attempt.error));
    const bool too_patient =
        attempt.retry_after && *attempt.retry_after > config_.retry.longest_retry_after;
    const bool may_have_worked = call.once && !attempt.nothing_done;
    if (tried >= config_.retry.tries || too_patient || may_have_worked) {
      co_return fail(ErrorCode::unavailable,
                     fmt::format("{} did not answer {} {} ({} {}): {}", config_.venue, call.method,
                                 call.path.substr(0, call.path.find('?')), tried,
                                 tried == 1 ? "try" : "tries", attempt.problem));
    }
    const std::chrono::nanoseconds wait =
        attempt.retry_after.value_or(backoff(config_.retry, tried, config_.waiting.uniform()));
    retries().add();
    otel::event_on_current("retry", {{"http.request.resend_count", tried},
                                     {"retry.reason", attempt.problem},
                                     {"retry.delay_ms", static_cast<double>(wait.count()) * 1e-6}});
    const Result<void> waited = co_await config_.waiting.sleep(wait);
    if (!waited) co_return std::unexpected(waited.error());
  }
}

Error to_error(const VenueReply& reply, std::string_view venue, std::string_view what) {
  ErrorCode code = ErrorCode::unavailable;
  if (reply.status >= 400 && reply.status < 500 && reply.status != 408) {
    code = ErrorCode::invalid_argument;
  }
  if (reply.status == 401) code = ErrorCode::unauthenticated;
  if (reply.status == 403) code = ErrorCode::permission_denied;
  if (reply.status == 404) code = ErrorCode::not_found;
  if (reply.status == 409) code = ErrorCode::conflict;
  return fail(code, fmt::format("{}: {} ({}): {}", venue, what, reply.status, reply.message()))
      .error();
}

}  // namespace alphaswarm::trading
