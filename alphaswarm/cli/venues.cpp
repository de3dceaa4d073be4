#include "alphaswarm/cli/venues.hpp"

#include <fmt/format.h>

#include <array>

#include "alphaswarm/net/url.hpp"
#include "alphaswarm/trading/broker/alpaca_broker.hpp"
#include "alphaswarm/trading/broker/tradier_broker.hpp"

namespace alphaswarm::cli {
namespace {

using config::Setting;

constexpr Setting kAlpacaUrl{"ALPHASWARM_ALPACA_BASE_URL", "https://paper-api.alpaca.markets",
                             "Alpaca's trading API; the default is its paper account"};
constexpr Setting kAlpacaDataUrl{"ALPHASWARM_ALPACA_DATA_URL", "https://data.alpaca.markets",
                                 "Alpaca's market data: bars of the past"};
constexpr Setting kAlpacaStreamUrl{"ALPHASWARM_ALPACA_STREAM_URL",
                                   "wss://stream.data.alpaca.markets",
                                   "Alpaca's market data: bars as they end"};
constexpr Setting kAlpacaFeed{
    "ALPHASWARM_ALPACA_DATA_FEED", "iex",
    "Whose trades Alpaca's bars are of: iex or, with a subscription, sip"};
constexpr Setting kAlpacaKey{"ALPHASWARM_ALPACA_KEY_ID", "",
                             "Alpaca's key id. Empty: venue and feed `alpaca` are not configured",
                             true};
constexpr Setting kAlpacaSecret{"ALPHASWARM_ALPACA_SECRET_KEY", "", "The secret to it", true};
constexpr Setting kTradierUrl{"ALPHASWARM_TRADIER_BASE_URL", "https://sandbox.tradier.com",
                              "Tradier's brokerage API; the default is its paper account"};
constexpr Setting kTradierToken{"ALPHASWARM_TRADIER_TOKEN", "",
                                "Tradier's access token. Empty: venue `tradier` is not configured",
                                true};
constexpr Setting kTradierAccount{"ALPHASWARM_TRADIER_ACCOUNT_ID", "", "Tradier's account number"};

constexpr std::array<Setting, 9> kSettings{kAlpacaUrl,  kAlpacaDataUrl, kAlpacaStreamUrl,
                                           kAlpacaFeed, kAlpacaKey,     kAlpacaSecret,
                                           kTradierUrl, kTradierToken,  kTradierAccount};

Result<std::string> read_url(const config::Environment& environment, const Setting& setting,
                             std::string_view scheme = "http") {
  std::string url = environment.text(setting);
  for (const std::string_view end : {"s://", "://"}) {
    if (url.starts_with(std::string(scheme).append(end))) return url;
  }
  return std::unexpected(
      environment.refuse(setting, fmt::format("must start with {}s:// or {}://", scheme, scheme)));
}

// What Alpaca's and Tradier's documentation say of their hosts. Another host (a proxy, a
// simulation) may be anything.
std::string account_at(std::string_view host) {
  if (host == "paper-api.alpaca.markets" || host == "sandbox.tradier.com") return "paper";
  if (host == "api.alpaca.markets" || host == "api.tradier.com") return "live";
  return {};
}

api::Venue describe(std::string name, trading::Broker* broker, const std::string& host,
                    std::string what_to_set) {
  if (broker == nullptr) return {std::move(name), nullptr, std::move(what_to_set)};
  return {std::move(name), broker, "", host, account_at(host)};
}

}  // namespace

std::string host_of(std::string_view url) {
  const Result<net::Url> parsed = net::parse_url(url);
  return parsed ? parsed->authority() : std::string();
}

std::span<const Setting> venue_settings() noexcept { return kSettings; }

Result<LiveVenues> LiveVenues::create(const config::Environment& environment, net::HttpClient& http,
                                      net::HttpClientObserver* observer) {
  LiveVenues venues;
  auto alpaca_url = read_url(environment, kAlpacaUrl);
  if (!alpaca_url) return std::unexpected(alpaca_url.error());
  auto data_url = read_url(environment, kAlpacaDataUrl);
  if (!data_url) return std::unexpected(data_url.error());
  auto stream_url = read_url(environment, kAlpacaStreamUrl, "ws");
  if (!stream_url) return std::unexpected(stream_url.error());
  auto tradier_url = read_url(environment, kTradierUrl);
  if (!tradier_url) return std::unexpected(tradier_url.error());
  venues.alpaca_host_ = host_of(*alpaca_url);
  venues.tradier_host_ = host_of(*tradier_url);
  const std::string key = environment.text(kAlpacaKey);
  const std::string secret = environment.text(kAlpacaSecret);
  if (!key.empty() && !secret.empty()) {
    trading::AlpacaConfig alpaca;
    alpaca.base_url = std::move(*alpaca_url);
    alpaca.key_id = key;
    alpaca.secret_key = secret;
    alpaca.observer = observer;
    venues.alpaca_ = std::make_unique<trading::AlpacaBroker>(std::move(alpaca), http);
    trading::AlpacaDataConfig data;
    data.base_url = std::move(*data_url);
    data.stream_url = std::move(*stream_url);
    data.feed = environment.text(kAlpacaFeed);
    data.key_id = key;
    data.secret_key = secret;
    data.websocket.observer = observer;
    venues.data_ = std::make_unique<trading::AlpacaData>(std::move(data), http);
  }
  trading::TradierConfig tradier;
  tradier.base_url = std::move(*tradier_url);
  tradier.token = environment.text(kTradierToken);
  tradier.account_id = environment.text(kTradierAccount);
  if (!tradier.token.empty() && !tradier.account_id.empty()) {
    venues.tradier_ = std::make_unique<trading::TradierBroker>(std::move(tradier), http);
  }
  return venues;
}

trading::paper::LiveServices LiveVenues::services() const {
  return {.alpaca = alpaca_.get(), .tradier = tradier_.get(), .data = data_.get()};
}

std::vector<api::Venue> LiveVenues::list() const {
  return {describe("alpaca", alpaca_.get(), alpaca_host_,
                   "Set ALPHASWARM_ALPACA_KEY_ID and ALPHASWARM_ALPACA_SECRET_KEY."),
          describe("tradier", tradier_.get(), tradier_host_,
                   "Set ALPHASWARM_TRADIER_TOKEN and ALPHASWARM_TRADIER_ACCOUNT_ID.")};
}

}  // namespace alphaswarm::cli
