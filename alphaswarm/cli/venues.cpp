#include "alphaswarm/cli/venues.hpp"

#include <array>

#include "alphaswarm/trading/broker/alpaca_broker.hpp"
#include "alphaswarm/trading/broker/tradier_broker.hpp"

namespace alphaswarm::cli {
namespace {

using config::Setting;

constexpr std::array<Setting, 6> kSettings{{
    {"ALPHASWARM_ALPACA_BASE_URL", "https://paper-api.alpaca.markets",
     "Alpaca's trading API; the default is its paper account"},
    {"ALPHASWARM_ALPACA_KEY_ID", "", "Alpaca's key id. Empty: venue `alpaca` is not configured",
     true},
    {"ALPHASWARM_ALPACA_SECRET_KEY", "", "The secret to it", true},
    {"ALPHASWARM_TRADIER_BASE_URL", "https://sandbox.tradier.com",
     "Tradier's brokerage API; the default is its paper account"},
    {"ALPHASWARM_TRADIER_TOKEN", "",
     "Tradier's access token. Empty: venue `tradier` is not configured", true},
    {"ALPHASWARM_TRADIER_ACCOUNT_ID", "", "Tradier's account number"},
}};

Result<std::string> read_url(const config::Environment& environment, const Setting& setting) {
  std::string url = environment.text(setting);
  if (url.starts_with("https://") || url.starts_with("http://")) return url;
  return std::unexpected(environment.refuse(setting, "must start with https:// or http://"));
}

}  // namespace

std::span<const Setting> venue_settings() noexcept { return kSettings; }

Result<LiveVenues> LiveVenues::create(const config::Environment& environment, net::HttpClient& http,
                                      net::HttpClientObserver* observer) {
  LiveVenues venues;
  auto alpaca_url = read_url(environment, kSettings[0]);
  if (!alpaca_url) return std::unexpected(alpaca_url.error());
  auto tradier_url = read_url(environment, kSettings[3]);
  if (!tradier_url) return std::unexpected(tradier_url.error());
  trading::AlpacaConfig alpaca;
  alpaca.base_url = std::move(*alpaca_url);
  alpaca.key_id = environment.text(kSettings[1]);
  alpaca.secret_key = environment.text(kSettings[2]);
  alpaca.observer = observer;
  if (!alpaca.key_id.empty() && !alpaca.secret_key.empty()) {
    venues.alpaca_ = std::make_unique<trading::AlpacaBroker>(std::move(alpaca), http);
  }
  trading::TradierConfig tradier;
  tradier.base_url = std::move(*tradier_url);
  tradier.token = environment.text(kSettings[4]);
  tradier.account_id = environment.text(kSettings[5]);
  if (!tradier.token.empty() && !tradier.account_id.empty()) {
    venues.tradier_ = std::make_unique<trading::TradierBroker>(std::move(tradier), http);
  }
  return venues;
}

std::vector<api::Venue> LiveVenues::list() const {
  return {{"alpaca", alpaca_.get(),
           alpaca_ ? "" : "Set ALPHASWARM_ALPACA_KEY_ID and ALPHASWARM_ALPACA_SECRET_KEY."},
          {"tradier", tradier_.get(),
           tradier_ ? "" : "Set ALPHASWARM_TRADIER_TOKEN and ALPHASWARM_TRADIER_ACCOUNT_ID."}};
}

}  // namespace alphaswarm::cli
