#include "alphaswarm/trading/feed/alpaca_data.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "alphaswarm/trading/broker/alpaca_json.hpp"

namespace alphaswarm::trading {

namespace json = boost::json;

namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::string_view kLimit = "10000";  // bars a page, Alpaca's bound

std::string_view timeframe(Interval interval) {
  switch (interval) {
    case Interval::minute:
      return "1Min";
    case Interval::hour:
      return "1Hour";
    case Interval::day:
      return "1Day";
    case Interval::week:
      return "1Week";
    case Interval::month:
      return "1Month";
  }
  return "1Day";
}

std::string text_at(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::unexpected<Error> unreadable(std::string_view what) {
  return fail(ErrorCode::data_loss, fmt::format("alpaca data: {} cannot be read", what));
}

// What {"T":"error","code","msg"} means to a caller.
Error stream_error(const json::object& message) {
  const json::value* number = message.if_contains("code");
  const std::int64_t code =
      number != nullptr && number->is_int64() ? number->get_int64() : std::int64_t{0};
  ErrorCode meaning = ErrorCode::unavailable;
  if (code == 401 || code == 402 || code == 403) meaning = ErrorCode::unauthenticated;
  if (code == 400 || code == 405 || code == 410) meaning = ErrorCode::invalid_argument;
  if (code == 406) meaning = ErrorCode::resource_exhausted;
  if (code == 409) meaning = ErrorCode::permission_denied;
  return fail(meaning, fmt::format("alpaca data: {} ({})", text_at(message, "msg"), code)).error();
}

// The messages of a frame: an array of objects.
Result<json::array> messages_of(std::string_view frame) {
  boost::system::error_code malformed;
  json::value parsed = json::parse(frame, malformed);
  if (malformed || !parsed.is_array()) return unreadable("a message of the stream");
  for (const json::value& one : parsed.get_array()) {
    if (!one.is_object()) return unreadable("a message of the stream");
  }
  return std::move(parsed.get_array());
}

// Until a message of that type says so; an error on the way is one.
net::task<Result<void>> await_message(net::WebSocket& socket, std::string_view type,
                                      std::string_view words) {
  for (;;) {
    const auto frame = co_await socket.receive();
    if (!frame) co_return std::unexpected(frame.error());
    if (!*frame) co_return fail(ErrorCode::unavailable, "alpaca data closed the stream");
    const Result<json::array> messages = messages_of(**frame);
    if (!messages) co_return std::unexpected(messages.error());
    for (const json::value& one : *messages) {
      const json::object& message = one.get_object();
      const std::string said = text_at(message, "T");
      if (said == "error") co_return std::unexpected(stream_error(message));
      if (said == type && (words.empty() || text_at(message, "msg") == words)) {
        co_return Result<void>();
      }
    }
  }
}

net::task<Result<void>> ask(net::WebSocket& socket, json::object request, std::string_view type,
                            std::string_view words) {
  std::string text = json::serialize(request);
  const Result<void> sent = co_await socket.send_text(std::move(text));
  if (!sent) co_return sent;
  co_return co_await await_message(socket, type, words);
}

net::task<Result<void>> log_in(net::WebSocket& socket, const AlpacaDataConfig& config,
                               const std::vector<std::string>& tickers) {
  Result<void> done = co_await await_message(socket, "success", "connected");
  if (!done) co_return done;
  json::object login{{"action", "auth"}, {"key", config.key_id}, {"secret", config.secret_key}};
  done = co_await ask(socket, std::move(login), "success", "authenticated");
  if (!done) co_return done;
  json::array names(tickers.begin(), tickers.end());
  json::object subscribe{{"action", "subscribe"}, {"bars", std::move(names)}};
  co_return co_await ask(socket, std::move(subscribe), "subscription", "");
}

}  // namespace

std::int64_t longest_ns(Interval interval) noexcept {
  switch (interval) {
    case Interval::minute:
      return 60 * kSecond;
    case Interval::hour:
      return 3'600 * kSecond;
    case Interval::day:
      return 86'400 * kSecond;
    case Interval::week:
      return 7 * 86'400 * kSecond;
    case Interval::month:
      return 31 * 86'400 * kSecond;
  }
  return 0;
}

AlpacaData::AlpacaData(AlpacaDataConfig config, net::HttpClient& http)
    : config_(std::move(config)), client_(alpaca_venue(config_, "alpaca data"), http) {}

net::task<Result<AlpacaData::Page>> AlpacaData::bars(PageQuery query) {
  VenueCall call;
  // Times hold no characters that a query would have to escape, tickers neither.
  call.path =
      fmt::format("/v2/stocks/bars?symbols={}&timeframe={}&start={}&end={}&limit={}&feed={}{}{}",
                  fmt::join(query.tickers, ","), timeframe(query.interval), to_rfc3339(query.start),
                  to_rfc3339(query.end), kLimit, config_.feed,
                  query.token.empty() ? "" : "&page_token=", query.token);
  const Result<VenueReply> reply = co_await client_.call(std::move(call));
  if (!reply) co_return std::unexpected(reply.error());
  if (!reply->ok()) co_return std::unexpected(to_error(*reply, "alpaca data", "bars"));
  const json::object* body = reply->body.if_object();
  const json::value* all = body == nullptr ? nullptr : body->if_contains("bars");
  if (all == nullptr) co_return unreadable("the answer to a request for bars");
  Page page;
  page.next = text_at(*body, "next_page_token");
  if (all->is_null()) co_return page;  // it has none of these tickers
  if (!all->is_object()) co_return unreadable("the answer to a request for bars");
  for (const auto& entry : all->get_object()) {
    const json::array* list = entry.value().if_array();
    if (list == nullptr) co_return unreadable("the answer to a request for bars");
    for (const json::value& item : *list) {
      const Result<Bar> bar = read_bar(item);
      if (!bar) co_return std::unexpected(bar.error());
      page.bars.push_back({entry.key(), *bar});
    }
  }
  co_return page;
}

net::task<Result<AlpacaBarStream>> AlpacaData::stream(std::vector<std::string> tickers) {
  std::string url = config_.stream_url;
  while (url.ends_with('/')) url.pop_back();
  url += "/v2/" + config_.feed;
  net::Headers headers;
  auto socket =
      co_await net::connect_websocket(std::move(url), std::move(headers), config_.websocket);
  if (!socket) co_return std::unexpected(std::move(socket.error()));
  const Result<void> listening = co_await log_in(*socket, config_, tickers);
  if (!listening) {
    co_await socket->close();
    co_return std::unexpected(listening.error());
  }
  co_return AlpacaBarStream(std::move(*socket));
}

net::task<Result<std::optional<std::vector<TickerBar>>>> AlpacaBarStream::next() {
  for (;;) {
    const auto frame = co_await socket_.receive();
    if (!frame) co_return std::unexpected(frame.error());
    if (!*frame) co_return std::nullopt;
    const Result<json::array> messages = messages_of(**frame);
    if (!messages) co_return std::unexpected(messages.error());
    std::vector<TickerBar> bars;
    for (const json::value& one : *messages) {
      const json::object& message = one.get_object();
      const std::string type = text_at(message, "T");
      if (type == "error") co_return std::unexpected(stream_error(message));
      if (type != "b") continue;
      const Result<Bar> bar = read_bar(one);
      if (!bar) co_return std::unexpected(bar.error());
      bars.push_back({text_at(message, "S"), *bar});
    }
    if (!bars.empty()) co_return std::optional(std::move(bars));
  }
}

}  // namespace alphaswarm::trading
