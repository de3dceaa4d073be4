#include "alphaswarm/trading/broker/sim_broker.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "alphaswarm/trading/broker/alpaca_json.hpp"

namespace alphaswarm::trading {

namespace json = boost::json;

namespace {

AlpacaConfig alpaca_config(SimConfig config) {
  AlpacaConfig alpaca;
  alpaca.venue = "sim";
  alpaca.base_url = std::move(config.base_url);
  alpaca.key_id = std::move(config.key_id);
  alpaca.secret_key = "simulated";  // the exchange asks for one and takes any
  alpaca.full_symbols = true;
  alpaca.retry = config.retry;
  alpaca.rate_limit = config.rate_limit;
  alpaca.timeout = config.timeout;
  alpaca.waiting = std::move(config.waiting);
  alpaca.observer = config.observer;
  return alpaca;
}

json::object restore_object(const SimRestore& restore) {
  json::array positions;
  for (const Position& position : restore.portfolio->positions()) {
    positions.push_back(json::object{{"symbol", position.symbol.text()},
                                     {"qty", position.quantity.to_string()},
                                     {"avg_entry_price", position.average_cost.to_string()},
                                     {"current_price", position.mark.to_string()},
                                     {"realized_pl", position.realised.to_string()}});
  }
  json::array bars;
  for (const SymbolBar& one : restore.bars) bars.emplace_back(to_alpaca(one));
  return {{"bar_index", restore.bar_index},
          {"cash", restore.portfolio->cash().to_string()},
          {"positions", std::move(positions)},
          {"bars", std::move(bars)}};
}

const json::value* field(const json::value& body, std::string_view key) {
  const json::object* object = body.if_object();
  return object == nullptr ? nullptr : object->if_contains(key);
}

Money money_at(const json::value* object, std::string_view key) {
  const json::value* value = object == nullptr ? nullptr : field(*object, key);
  if (value == nullptr || !value->is_string()) return {};
  return Money(Decimal::parse(value->get_string()).value_or(Decimal()));
}

}  // namespace

SimBroker::SimBroker(SimConfig config, net::HttpClient& http)
    : AlpacaBroker(alpaca_config(config), http), terms_(config.terms) {}

net::task<Result<void>> SimBroker::connect() {
  SimRestore nothing;
  const Result<SimOpened> opened = co_await open(std::move(nothing));
  if (!opened) co_return std::unexpected(opened.error());
  co_return Result<void>();
}

net::task<Result<SimOpened>> SimBroker::open(SimRestore restore) {
  json::object body{{"cash", terms_.initial_cash.to_string()},
                    {"interval", to_string(terms_.interval)},
                    {"slippage_bps", terms_.slippage_bps.to_string()},
                    {"commission_rate", terms_.commission_rate.to_string()},
                    {"leverage", terms_.leverage.to_string()},
                    {"allow_short", terms_.allow_short},
                    {"max_fill_share", terms_.max_fill_share.to_string()}};
  if (restore.portfolio != nullptr) body["restore"] = restore_object(restore);
  VenueCall call;
  call.method = "POST";
  call.path = "/sim/v1/account";
  call.body = json::serialize(body);
  const Result<VenueReply> reply = co_await client().call(std::move(call));
  if (!reply) co_return std::unexpected(reply.error());
  if (!reply->ok()) {
    co_return std::unexpected(to_error(*reply, venue(), "the account was not opened"));
  }
  const json::value* created = field(reply->body, "created");
  const json::value* last = field(reply->body, "last_bar_index");
  if (created == nullptr || !created->is_bool() || last == nullptr || !last->is_int64()) {
    co_return fail(ErrorCode::data_loss, "sim: the answer to opening an account cannot be read");
  }
  co_return SimOpened{created->get_bool(), last->get_int64()};
}

net::task<Result<void>> SimBroker::disconnect() {
  VenueCall call;
  call.method = "DELETE";
  call.path = "/sim/v1/account";
  const Result<VenueReply> reply = co_await client().call(std::move(call));
  if (!reply) co_return std::unexpected(reply.error());
  if (!reply->ok()) co_return std::unexpected(to_error(*reply, venue(), "closing the account"));
  co_return Result<void>();
}

net::task<Result<SimStep>> SimBroker::advance(std::int64_t bar_index,
                                              std::span<const SymbolBar> bars) {
  json::array list;
  for (const SymbolBar& one : bars) list.emplace_back(to_alpaca(one));
  VenueCall call;
  call.method = "POST";
  call.path = "/sim/v1/advance";
  call.body = json::serialize(json::object{{"bar_index", bar_index}, {"bars", std::move(list)}});
  const Result<VenueReply> reply = co_await client().call(std::move(call));
  if (!reply) co_return std::unexpected(reply.error());
  if (!reply->ok()) co_return std::unexpected(to_error(*reply, venue(), "the bar was refused"));
  const json::value* updates = field(reply->body, "updates");
  const json::value* account = field(reply->body, "account");
  if (updates == nullptr || !updates->is_array() || account == nullptr) {
    co_return fail(ErrorCode::data_loss, "sim: the answer to a bar cannot be read");
  }
  SimStep step;
  step.cash = money_at(account, "cash");
  step.equity = money_at(account, "equity");
  step.repeated = reply->repeated;
  const auto lookup = [this](auto symbol, auto place) { return named_symbol(symbol, place); };
  for (const json::value& item : updates->get_array()) {
    Result<BrokerUpdate> update = read_update(item, lookup);
    if (!update) co_return std::unexpected(update.error());
    step.updates.push_back(std::move(*update));
  }
  co_return step;
}

}  // namespace alphaswarm::trading
