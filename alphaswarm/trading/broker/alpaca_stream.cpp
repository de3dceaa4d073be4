#include "alphaswarm/trading/broker/alpaca_stream.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "alphaswarm/base/log.hpp"

namespace alphaswarm::trading {

namespace json = boost::json;

namespace {

std::string stream_url(const std::string& base_url) {
  const bool secure = base_url.starts_with("https://");
  const std::size_t scheme = base_url.find("://");
  const std::string rest = scheme == std::string::npos ? base_url : base_url.substr(scheme + 3);
  return (secure ? "wss://" : "ws://") + rest + "/stream";
}

// {"stream", "data"} of a message; an empty object for what is not one.
json::object envelope(std::string_view message) {
  boost::system::error_code malformed;
  json::value parsed = json::parse(message, malformed);
  if (malformed || !parsed.is_object()) return {};
  return std::move(parsed.get_object());
}

bool is_stream(const json::object& message, std::string_view name) {
  const json::value* stream = message.if_contains("stream");
  return stream != nullptr && stream->is_string() && stream->get_string() == name;
}

std::string data_text(const json::object& message, std::string_view key) {
  const json::value* data = message.if_contains("data");
  const json::object* object = data == nullptr ? nullptr : data->if_object();
  const json::value* value = object == nullptr ? nullptr : object->if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

class AlpacaStream final : public OrderUpdateStream {
 public:
  AlpacaStream(net::WebSocket socket, std::string venue, SymbolLookup lookup)
      : socket_(std::move(socket)), venue_(std::move(venue)), lookup_(std::move(lookup)) {}

  net::task<Result<std::optional<BrokerUpdate>>> next() override {
    for (;;) {
      auto message = co_await socket_.receive();
      if (!message) co_return std::unexpected(std::move(message.error()));
      if (!*message) co_return std::nullopt;
      const json::object body = envelope(**message);
      if (!is_stream(body, "trade_updates")) continue;
      const json::value* data = body.if_contains("data");
      Result<BrokerUpdate> update = read_update(data != nullptr ? *data : json::value(), lookup_);
      if (!update) {  // an order of a kind we never send: the account has other users
        log_warning("broker", venue_ + ": an update is left out: " + update.error().message);
        continue;
      }
      co_return std::optional<BrokerUpdate>(std::move(*update));
    }
  }

  net::task<void> close() override { co_await socket_.close(); }

 private:
  net::WebSocket socket_;
  std::string venue_;
  SymbolLookup lookup_;
};

// Sends `request` and waits for the first message of `stream`.
net::task<Result<json::object>> ask(net::WebSocket& socket, std::string request,
                                    std::string_view stream) {
  const Result<void> sent = co_await socket.send_text(std::move(request));
  if (!sent) co_return std::unexpected(sent.error());
  for (;;) {
    const auto message = co_await socket.receive();
    if (!message) co_return std::unexpected(message.error());
    if (!*message) co_return fail(ErrorCode::unavailable, "the venue closed the stream");
    json::object body = envelope(**message);
    if (is_stream(body, stream)) co_return body;
  }
}

}  // namespace

net::task<Result<std::unique_ptr<OrderUpdateStream>>> open_alpaca_stream(StreamConfig config,
                                                                         SymbolLookup lookup) {
  net::Headers headers;
  auto socket = co_await net::connect_websocket(stream_url(config.base_url), std::move(headers),
                                                config.websocket);
  if (!socket) co_return std::unexpected(std::move(socket.error()));
  std::string login = json::serialize(
      json::object{{"action", "authenticate"},
                   {"data", {{"key_id", config.key_id}, {"secret_key", config.secret_key}}}});
  const Result<json::object> granted = co_await ask(*socket, std::move(login), "authorization");
  if (!granted) co_return std::unexpected(granted.error());
  if (data_text(*granted, "status") != "authorized") {
    co_await socket->close();
    co_return fail(ErrorCode::unauthenticated, config.venue + " refused the stream's credentials");
  }
  std::string listen = json::serialize(
      json::object{{"action", "listen"}, {"data", {{"streams", {"trade_updates"}}}}});
  const Result<json::object> listening = co_await ask(*socket, std::move(listen), "listening");
  if (!listening) co_return std::unexpected(listening.error());
  co_return std::make_unique<AlpacaStream>(std::move(*socket), config.venue, std::move(lookup));
}

}  // namespace alphaswarm::trading
