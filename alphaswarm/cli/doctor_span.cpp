// The second half of `alphaswarm doctor`: a span on its way to the store, and what services say.

#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <ctime>
#include <thread>

#include "alphaswarm/cli/doctor.hpp"
#include "alphaswarm/net/http_client.hpp"
#include "alphaswarm/observability/api/provider.hpp"
#include "alphaswarm/observability/export/connection.hpp"
#include "alphaswarm/observability/export/factory.hpp"
#include "alphaswarm/observability/tracing.hpp"

namespace alphaswarm::cli::doctor {
namespace {

using observability::SinkResult;
using State = Finding::State;
using std::chrono::milliseconds;

constexpr double kClockLimitSeconds = 5;  // the Date header has whole seconds

// Keeps the request, so that the answer of the real exporter to it can be read.
class Capture final : public observability::BatchSink {
 public:
  SinkResult send(const observability::Batch& batch, milliseconds /*timeout*/) override {
    request = batch.request.joined();
    return {};
  }
  std::string request;
};

// One finished span of a provider that keeps everything; its trace id.
std::string make_span(const observability::Config& config, std::string& request) {
  auto capture = std::make_shared<Capture>();
  observability::Config local;
  local.service_name = config.service_name;
  local.resource = config.resource;
  local.sink = capture;
  auto provider = observability::TracerProvider::create(std::move(local));
  if (!provider) return {};
  (*provider)->install_as_default();
  std::string trace_id;
  {
    auto span = observability::span("alphaswarm.doctor");
    trace_id = span.context().trace_id.to_hex();
  }
  static_cast<void>((*provider)->shutdown(milliseconds(1000)));
  request = capture->request;
  return trace_id;
}

bool contains_any(std::string_view text, std::initializer_list<std::string_view> parts) {
  for (const std::string_view part : parts) {
    if (text.find(part) != std::string_view::npos) return true;
  }
  return false;
}

std::string advice_for(const std::string& message) {
  if (contains_any(message, {"HTTP 401", "HTTP 403", "gRPC status 16", "gRPC status 7"})) {
    return ": give the receiver's key in OTEL_EXPORTER_OTLP_HEADERS, e.g. authorization=Bearer%20…";
  }
  if (contains_any(message, {"HTTP 404", "gRPC status 12"})) {
    return ": there is no OTLP trace receiver at this address; correct ALPHASWARM_OTEL_ENDPOINT";
  }
  if (contains_any(message, {"HTTP 429", "HTTP 503", "gRPC status 8", "gRPC status 14"})) {
    return ": the receiver has no room; give it more memory or lower ALPHASWARM_OTEL_SAMPLE_RATIO";
  }
  return ": look at the receiver's log";
}

net::task<Result<net::HttpResponse>> send(net::Runtime& runtime, std::string url) {
  net::HttpClient client(runtime, {.connect_timeout = milliseconds(3000)});
  net::ClientRequest request;
  request.url = std::move(url);
  request.timeout = milliseconds(3000);
  co_return co_await client.send(std::move(request));
}

// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110), in seconds; 0: not a date.
std::time_t parse_date(const std::string& text) {
  std::tm parts{};
  const char* end = ::strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return end == nullptr ? 0 : ::timegm(&parts);
}

Finding check_clock(const Answer& answer) {
  const std::time_t theirs = parse_date(answer.date);
  if (theirs == 0) return {"clock", State::skipped, "the query server gives no date"};
  const double offset = std::difftime(std::time(nullptr), theirs);
  if (std::fabs(offset) <= kClockLimitSeconds) {
    return {"clock", State::good, "this clock and the query server's agree"};
  }
  return {"clock", State::bad,
          "this clock is " + std::to_string(std::llabs(std::llround(offset))) + " s " +
              (offset > 0 ? "ahead of" : "behind") +
              " the query server's, so spans stand at the wrong time: synchronise both with NTP"};
}

}  // namespace

Answer http_get(const std::string& url) {
  net::Runtime runtime("doctor", 1);
  const auto response = net::block_on(runtime, send(runtime, url));
  if (!response) return {0, response.error().message, {}};
  const auto date = response->headers.get("Date");
  return {response->status, response->body, date ? std::string(*date) : std::string()};
}

SentSpan check_span(const observability::Config& config) {
  std::string request;
  const std::string trace_id = make_span(config, request);
  if (request.empty()) {
    return {{"span", State::bad,
             "this program was built without tracing: build it with -DALPHASWARM_OTEL=ON"},
            {}};
  }
  observability::Config only_endpoint = config;
  only_endpoint.sink = nullptr;
  only_endpoint.console = false;
  auto sinks = observability::make_sinks(only_endpoint);
  if (!sinks) return {{"span", State::bad, sinks.error().message}, {}};
  const SinkResult result = sinks->front()->send({request, 1}, milliseconds(5000));
  if (result.status == SinkResult::accepted && result.rejected_spans == 0) {
    return {{"span", State::good, "a test span was accepted: trace " + trace_id}, trace_id};
  }
  const bool key = contains_any(result.message, {"HTTP 401", "HTTP 403", "status 16", "status 7:"});
  return {
      {key ? "authentication" : "span", State::bad, result.message + advice_for(result.message)},
      {}};
}

Findings check_arrival(const std::string& query_url, const std::string& trace_id) {
  const std::string url = query_url + "/api/traces/" + trace_id;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  Answer answer = http_get(url);
  while (answer.status != 200 && answer.status != 0 &&
         std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(milliseconds(250));  // the other end has no event to wait for
    answer = http_get(url);
  }
  if (answer.status == 0) {
    return {{"arrival", State::bad,
             "no query server answers at " + query_url + " (" + answer.body +
                 "): start it, or set ALPHASWARM_TRACE_UI_URL or --query"}};
  }
  if (answer.status != 200) {
    return {{"arrival", State::bad,
             "the span was accepted and is not at " + query_url +
                 " after 10 s: the collector passes its spans to another store, or drops them; "
                 "look at its exporters and at its metrics on port 8888"},
            check_clock(answer)};
  }
  return {{"arrival", State::good, "the span is shown at " + query_url + "/trace/" + trace_id},
          check_clock(answer)};
}

Finding check_drops(const std::string& url) {
  const Answer answer = http_get(url);
  if (answer.status != 200) {
    return {"drops", State::skipped, "no counters at " + url};
  }
  double dropped = 0;
  std::size_t begin = 0;
  while (begin < answer.body.size()) {
    std::size_t end = answer.body.find('\n', begin);
    if (end == std::string::npos) end = answer.body.size();
    const std::string line = answer.body.substr(begin, end - begin);
    begin = end + 1;
    if (!line.starts_with("alphaswarm_spans_dropped_total{")) continue;
    dropped += std::strtod(line.c_str() + line.rfind(' '), nullptr);
  }
  if (dropped == 0) return {"drops", State::good, "no span was dropped (" + url + ")"};
  return {"drops", State::bad,
          std::to_string(std::llround(dropped)) + " spans were dropped (" + url +
              "): the label `cause` of alphaswarm_spans_dropped_total says why; export_failed "
              "means that the endpoint was away"};
}

Finding check_reach(const std::string& url) {
  if (url.starts_with("http://") || url.starts_with("https://")) {
    const Answer answer = http_get(url);
    const bool good = answer.status > 0 && answer.status < 500;
    return {"reach", good ? State::good : State::bad,
            url + (answer.status == 0 ? ": " + answer.body
                                      : " answered " + std::to_string(answer.status))};
  }
  // scheme://[user[:password]@]host:port[/…]; the secret part never shows.
  const std::size_t scheme = url.find("://");
  std::string rest = scheme == std::string::npos ? url : url.substr(scheme + 3);
  rest = rest.substr(0, rest.find('/'));
  if (const std::size_t at = rest.rfind('@'); at != std::string::npos) rest.erase(0, at + 1);
  const std::uint16_t port = url.starts_with("postgres") ? 5432 : 6379;
  const auto endpoint = observability::parse_endpoint(rest, port);
  if (!endpoint) return {"reach", State::bad, endpoint.error().message};
  const auto connection = observability::Connection::open(
      *endpoint, {}, std::chrono::steady_clock::now() + std::chrono::seconds(3));
  if (connection) return {"reach", State::good, endpoint->authority() + " takes connections"};
  return {"reach", State::bad, connection.error().message};
}

}  // namespace alphaswarm::cli::doctor
