#pragma once

// The live venues, for orders by hand and for sessions, as far as their credentials are set.

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "alphaswarm/api/api.hpp"
#include "alphaswarm/config/environment.hpp"
#include "alphaswarm/net/http_client.hpp"
#include "alphaswarm/trading/broker/broker.hpp"
#include "alphaswarm/trading/paper/session.hpp"

namespace alphaswarm::cli {

// Their variables, for listings.
[[nodiscard]] std::span<const config::Setting> venue_settings() noexcept;

// Host and port of a URL, without anything secret in it; empty for what is none.
[[nodiscard]] std::string host_of(std::string_view url);

class LiveVenues {
 public:
  // `http` MUST outlive this object, `observer` too. invalid_argument for a URL that is none.
  [[nodiscard]] static Result<LiveVenues> create(const config::Environment& environment,
                                                 net::HttpClient& http,
                                                 net::HttpClientObserver* observer);
  // One entry a venue: where it is and whose money it trades with; those that are not configured
  // say what to set.
  [[nodiscard]] std::vector<api::Venue> list() const;
  // For sessions; valid as long as this object.
  [[nodiscard]] trading::paper::LiveServices services() const;

 private:
  std::unique_ptr<trading::Broker> alpaca_, tradier_;
  std::string alpaca_host_, tradier_host_;
  std::unique_ptr<trading::AlpacaData> data_;
};

}  // namespace alphaswarm::cli
