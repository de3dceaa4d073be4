// Who hears of an account: the order stream and the data stream.

#include <algorithm>
#include <boost/json/serialize.hpp>

#include "alphaswarm/trading/exchange/account.hpp"

namespace alphaswarm::trading::exchange {

namespace json = boost::json;

namespace {

std::unexpected<ApiError> too_many() {
  return std::unexpected(ApiError{406, 40610000, "connection limit exceeded"});
}

json::object bar_message(const std::string& name, const Bar& bar) {
  json::object message = market_bar_json(bar);
  message["T"] = "b";
  message["S"] = name;
  return message;
}

}  // namespace

ApiResult<Listener> Account::listen() {
  const std::scoped_lock lock(mutex_);
  std::erase_if(listeners_, [](const auto& listener) { return listener.expired(); });
  if (listeners_.size() >= bounds_.max_listeners) {
    return too_many();
  }
  auto listener = std::make_shared<net::Channel<std::string>>(bounds_.listener_queue);
  listeners_.push_back(listener);
  return listener;
}

void Account::publish(std::string_view event, const Order& order) {
  if (listeners_.empty()) return;
  publish(json::object{
      {"event", event}, {"timestamp", to_rfc3339(order.updated)}, {"order", shape(order)}});
}

void Account::publish(const json::object& data) {
  if (listeners_.empty()) return;
  const std::string text =
      json::serialize(json::object{{"stream", "trade_updates"}, {"data", data}});
  std::erase_if(listeners_, [&text](const auto& weak) {
    const Listener listener = weak.lock();
    if (listener && listener->try_push(text)) return false;
    if (listener) listener->close();  // too slow: it must connect again and ask for its orders
    return true;
  });
}

ApiResult<BarListener> Account::listen_to_bars() {
  const std::scoped_lock lock(mutex_);
  std::erase_if(bar_listeners_, [](const auto& listener) { return listener.expired(); });
  if (bar_listeners_.size() >= bounds_.max_listeners) return too_many();
  auto listener = std::make_shared<BarSubscription>(bounds_.listener_queue);
  bar_listeners_.push_back(listener);
  return listener;
}

std::vector<std::string> Account::subscribe(const BarListener& listener,
                                            const std::vector<std::string>& names, bool add) {
  const std::scoped_lock lock(mutex_);
  std::vector<std::string>& all = listener->names;
  for (const std::string& name : names) {
    std::erase(all, name);
    if (add && all.size() < bounds_.max_symbols) all.push_back(name);
  }
  return all;
}

void Account::publish_bars(const std::vector<SymbolBar>& bars) {
  std::erase_if(bar_listeners_, [&bars](const auto& weak) {
    const BarListener listener = weak.lock();
    if (!listener) return true;
    json::array messages;
    for (const SymbolBar& one : bars) {
      // By the name the client subscribed with.
      const auto name = std::ranges::find_if(listener->names, [&one](const std::string& wanted) {
        return wanted == "*" || wanted == one.symbol.text() || wanted == one.symbol.ticker();
      });
      if (name == listener->names.end()) continue;
      messages.push_back(bar_message(*name == "*" ? one.symbol.text() : *name, one.bar));
    }
    if (messages.empty() || listener->queue.try_push(std::move(messages))) return false;
    listener->queue.close();  // too slow: it must connect again and ask for what it missed
    return true;
  });
}

void Account::cut_streams() {
  const std::scoped_lock lock(mutex_);
  for (const auto& weak : listeners_) {
    if (const Listener listener = weak.lock()) listener->close();
  }
  for (const auto& weak : bar_listeners_) {
    if (const BarListener listener = weak.lock()) listener->queue.close();
  }
  listeners_.clear();
  bar_listeners_.clear();
}

}  // namespace alphaswarm::trading::exchange
