#include "alphaswarm/trading/exchange/stream.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>

#include "alphaswarm/net/task.hpp"

namespace alphaswarm::trading::exchange {

namespace json = boost::json;

namespace {

constexpr std::chrono::seconds kAuthenticateWithin(10);

// An empty object for what is not a JSON object: it then has no known action.
json::object parse_message(std::string_view text) {
  boost::system::error_code malformed;
  json::value parsed = json::parse(text, malformed);
  if (malformed || !parsed.is_object()) return {};
  return std::move(parsed.get_object());
}

std::string text_at(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::string authorization(bool granted, std::string_view action) {
  return json::serialize(json::object{
      {"stream", "authorization"},
      {"data", {{"status", granted ? "authorized" : "unauthorized"}, {"action", action}}}});
}

// The account the message proves the right to, or nothing.
std::shared_ptr<Account> authenticate(Accounts& accounts, const json::object& message) {
  if (text_at(message, "action") != "authenticate") return nullptr;
  const json::value* data = message.if_contains("data");
  // Newer clients put the key beside the action, older ones into "data".
  const json::object& source = data != nullptr && data->is_object() ? data->get_object() : message;
  std::string key = text_at(source, "key_id");
  if (key.empty()) key = text_at(source, "key");
  std::string secret = text_at(source, "secret_key");
  if (secret.empty()) secret = text_at(source, "secret");
  if (key.empty() || secret.empty()) return nullptr;
  auto account = accounts.get(key);
  return account ? *account : nullptr;
}

bool wants_trade_updates(const json::object& message) {
  const json::value* data = message.if_contains("data");
  const json::value* streams =
      data != nullptr && data->is_object() ? data->get_object().if_contains("streams") : nullptr;
  if (streams == nullptr || !streams->is_array()) return false;
  const json::value wanted("trade_updates");
  return std::ranges::find(streams->get_array(), wanted) != streams->get_array().end();
}

net::task<void> send_updates(net::WebSocket& socket, Listener listener) {
  while (auto message = co_await listener->pop()) {
    const Result<void> sent = co_await socket.send_text(std::move(*message));
    if (!sent) co_return;
  }
}

// Until the client says goodbye. It may listen again; what it then asks for is confirmed.
net::task<void> receive_requests(net::WebSocket& socket) {
  for (;;) {
    const auto message = co_await socket.receive();
    if (!message || !*message) co_return;
    const json::object request = parse_message(**message);
    if (text_at(request, "action") != "listen") continue;
    json::array streams;
    if (wants_trade_updates(request)) streams.emplace_back("trade_updates");
    std::string confirmed = json::serialize(
        json::object{{"stream", "listening"}, {"data", {{"streams", std::move(streams)}}}});
    const Result<void> sent = co_await socket.send_text(std::move(confirmed));
    if (!sent) co_return;
  }
}

net::task<json::object> first_message(net::WebSocket& socket) {
  const auto message = co_await socket.receive();
  if (!message || !*message) co_return json::object();
  co_return parse_message(**message);
}

net::task<json::object> no_message() {
  const Result<void> waited = co_await net::sleep_for(kAuthenticateWithin);
  static_cast<void>(waited);
  co_return json::object();
}

}  // namespace

net::task<void> serve_stream(Accounts& accounts, net::WebSocket& socket) {
  auto first = co_await net::race(first_message(socket), no_message());
  const json::object request =
      std::visit([](json::object& message) { return std::move(message); }, first);
  const std::shared_ptr<Account> account = authenticate(accounts, request);
  ApiResult<Listener> listener = account ? account->listen() : ApiResult<Listener>(unauthorized());
  // Updates are collected from here on, so that none between this and "listen" is missed.
  std::string status = authorization(listener.has_value(), "authenticate");
  const Result<void> sent = co_await socket.send_text(std::move(status));
  if (!sent || !listener) {
    co_await socket.close(1008, "not authorized");
    co_return;
  }
  for (;;) {
    const auto message = co_await socket.receive();
    if (!message || !*message) co_return;
    const json::object asked = parse_message(**message);
    if (text_at(asked, "action") == "listen" && wants_trade_updates(asked)) break;
  }
  std::string confirmed = json::serialize(
      json::object{{"stream", "listening"}, {"data", {{"streams", {"trade_updates"}}}}});
  const Result<void> answered = co_await socket.send_text(std::move(confirmed));
  if (!answered) co_return;
  std::ignore =
      co_await net::race(send_updates(socket, std::move(*listener)), receive_requests(socket));
}

}  // namespace alphaswarm::trading::exchange
