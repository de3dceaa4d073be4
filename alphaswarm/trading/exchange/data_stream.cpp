#include "alphaswarm/trading/exchange/data_stream.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>

#include "alphaswarm/net/task.hpp"
#include "alphaswarm/trading/exchange/msgpack.hpp"

namespace alphaswarm::trading::exchange {

namespace json = boost::json;

namespace {

constexpr std::chrono::seconds kAuthenticateWithin(10);
constexpr std::size_t kMaxNames = 1'000;

// The connection with its encoding.
class Peer {
 public:
  Peer(net::WebSocket& socket, bool packed) : socket_(socket), packed_(packed) {}

  net::task<bool> send(json::array messages) {
    const json::value value(std::move(messages));
    std::string bytes = packed_ ? to_msgpack(value) : json::serialize(value);
    const Result<void> sent = packed_ ? co_await socket_.send_binary(std::move(bytes))
                                      : co_await socket_.send_text(std::move(bytes));
    co_return sent.has_value();
  }
  net::task<bool> success(std::string words) {
    json::array messages{json::object{{"T", "success"}, {"msg", std::move(words)}}};
    co_return co_await send(std::move(messages));
  }
  net::task<bool> error(int code, std::string words) {
    json::array messages{json::object{{"T", "error"}, {"code", code}, {"msg", std::move(words)}}};
    co_return co_await send(std::move(messages));
  }
  // Nullopt: the client is gone. An empty object for what is none: it has no known action.
  net::task<std::optional<json::object>> receive() {
    const auto message = co_await socket_.receive();
    if (!message || !*message) co_return std::nullopt;
    json::value value;
    if (packed_) {
      value = from_msgpack(**message).value_or(nullptr);
    } else {
      boost::system::error_code malformed;
      value = json::parse(**message, malformed);
      if (malformed) value = nullptr;
    }
    co_return value.is_object() ? std::move(value.get_object()) : json::object();
  }

 private:
  net::WebSocket& socket_;
  const bool packed_;
};

std::string text_at(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::vector<std::string> names_at(const json::object& object, std::string_view key) {
  std::vector<std::string> names;
  const json::value* value = object.if_contains(key);
  if (value == nullptr || !value->is_array()) return names;
  for (const json::value& name : value->get_array()) {
    if (name.is_string() && names.size() < kMaxNames) names.emplace_back(name.get_string());
  }
  return names;
}

net::task<void> send_bars(Peer& peer, const BarListener& listener) {
  while (auto bars = co_await listener->queue.pop()) {
    if (!co_await peer.send(std::move(*bars))) co_return;
  }
}

// There are bars; of the other channels it confirms that they carry nothing.
json::array confirmation(const std::vector<std::string>& bars) {
  json::object message{{"T", "subscription"}, {"bars", json::array(bars.begin(), bars.end())}};
  for (const char* none : {"trades", "quotes", "updatedBars", "dailyBars", "statuses", "lulds",
                           "corrections", "cancelErrors"}) {
    message[none] = json::array();
  }
  return {std::move(message)};
}

net::task<void> receive_requests(Peer& peer, Account& account, const BarListener& listener) {
  for (;;) {
    const auto request = co_await peer.receive();
    if (!request) co_return;
    const std::string action = text_at(*request, "action");
    bool sent = true;
    if (action == "subscribe" || action == "unsubscribe") {
      const std::vector<std::string> all =
          account.subscribe(listener, names_at(*request, "bars"), action == "subscribe");
      sent = co_await peer.send(confirmation(all));
    } else if (action == "auth") {
      sent = co_await peer.error(403, "already authenticated");
    } else {
      sent = co_await peer.error(400, "invalid syntax");
    }
    if (!sent) co_return;
  }
}

net::task<std::optional<json::object>> no_message() {
  std::ignore = co_await net::sleep_for(kAuthenticateWithin);
  co_return json::object{{"action", "nothing"}};
}

}  // namespace

net::task<void> serve_data_stream(Accounts& accounts, const net::HttpRequest& request,
                                  net::WebSocket& socket) {
  Peer peer(socket, request.headers.get("Content-Type") == "application/msgpack");
  if (!co_await peer.success("connected")) co_return;
  auto first = co_await net::race(peer.receive(), no_message());
  const auto login = std::visit([](auto& message) { return std::move(message); }, first);
  if (!login) co_return;
  const std::string key = text_at(*login, "key");
  const bool asked = text_at(*login, "action") == "auth";
  const auto account = asked && !key.empty() && !text_at(*login, "secret").empty()
                           ? accounts.get(key)
                           : ApiResult<std::shared_ptr<Account>>(unauthorized());
  auto listener = account ? (*account)->listen_to_bars() : ApiResult<BarListener>(unauthorized());
  if (!listener) {
    const int code = first.index() == 1 ? 404 : !asked ? 401 : account ? 406 : 402;
    std::string words = code == 404   ? "auth timeout"
                        : code == 401 ? "not authenticated"
                        : code == 406 ? "connection limit exceeded"
                                      : "auth failed";
    std::ignore = co_await peer.error(code, std::move(words));
    co_await socket.close(1008, "not authorized");
    co_return;
  }
  if (!co_await peer.success("authenticated")) co_return;
  std::ignore =
      co_await net::race(send_bars(peer, *listener), receive_requests(peer, **account, *listener));
}

}  // namespace alphaswarm::trading::exchange
