#include "alphaswarm/trading/exchange/exchange.hpp"

#include <fmt/format.h>

#include <utility>

namespace alphaswarm::trading::exchange {

namespace {

// Where a client on this machine reaches a server that listens on `address`.
std::string host_of(const std::string& address) {
  if (address == "0.0.0.0" || address == "::") return "127.0.0.1";
  return address.find(':') == std::string::npos ? address : "[" + address + "]";
}

}  // namespace

struct Exchange::State {
  Accounts accounts;
  Faults faults;
};

Exchange::Exchange(std::shared_ptr<State> state, std::unique_ptr<net::HttpServer> server,
                   std::string host)
    : state_(std::move(state)), server_(std::move(server)), host_(std::move(host)) {}
Exchange::~Exchange() { stop(); }
void Exchange::stop() { server_->stop(); }
std::uint16_t Exchange::port() const noexcept { return server_->port(); }
Accounts& Exchange::accounts() noexcept { return state_->accounts; }
Faults& Exchange::faults() noexcept { return state_->faults; }
std::string Exchange::base_url() const { return fmt::format("http://{}:{}", host_, port()); }

Result<std::unique_ptr<Exchange>> Exchange::start(net::Runtime& runtime, ExchangeConfig config) {
  if (const Result<void> valid = validate(config.matching); !valid) {
    return std::unexpected(valid.error());
  }
  std::shared_ptr<State> state(new State{
      Accounts(config.matching, config.bounds, config.max_accounts), Faults(config.faults)});
  net::HttpServerConfig http;
  http.address = config.address;
  http.port = config.port;
  http.max_body_bytes = 1U << 20;
  http.websocket_ping_interval = std::chrono::seconds(10);
  http.observer = config.observer;
  auto server = net::HttpServer::start(runtime, make_router(state->accounts, state->faults), http);
  if (!server) return std::unexpected(server.error());
  return std::unique_ptr<Exchange>(
      new Exchange(std::move(state), std::move(*server), host_of(config.address)));
}

}  // namespace alphaswarm::trading::exchange
