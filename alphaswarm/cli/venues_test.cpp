#include "alphaswarm/cli/venues.hpp"

#include <gtest/gtest.h>

#include "alphaswarm/net/runtime.hpp"

namespace alphaswarm::cli {
namespace {

class Venues : public testing::Test {
 protected:
  ~Venues() override { runtime_.stop(); }

  std::vector<api::Venue> list(std::map<std::string, std::string> values) {
    auto made =
        LiveVenues::create(config::Environment::from_values(std::move(values)), http_, nullptr);
    EXPECT_TRUE(made.has_value()) << made.error().message;
    venues_.emplace(std::move(*made));
    return venues_->list();
  }

  net::Runtime runtime_{"venues", 1};
  net::HttpClient http_{runtime_};
  std::optional<LiveVenues> venues_;
};

TEST_F(Venues, WithoutCredentialsSayWhatToSet) {
  const auto all = list({});
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].name, "alpaca");
  EXPECT_EQ(all[0].broker, nullptr);
  EXPECT_EQ(all[0].note, "Set ALPHASWARM_ALPACA_KEY_ID and ALPHASWARM_ALPACA_SECRET_KEY.");
  EXPECT_EQ(all[0].account, "");
  EXPECT_EQ(all[1].broker, nullptr);
}

TEST_F(Venues, TellWhoseMoneyByTheHost) {
  std::map<std::string, std::string> values{{"ALPHASWARM_ALPACA_KEY_ID", "key"},
                                            {"ALPHASWARM_ALPACA_SECRET_KEY", "hush"},
                                            {"ALPHASWARM_TRADIER_TOKEN", "hush"},
                                            {"ALPHASWARM_TRADIER_ACCOUNT_ID", "1"}};
  auto all = list(values);
  EXPECT_NE(all[0].broker, nullptr);
  EXPECT_EQ(all[0].host, "paper-api.alpaca.markets");
  EXPECT_EQ(all[0].account, "paper");
  EXPECT_EQ(all[1].host, "sandbox.tradier.com");
  EXPECT_EQ(all[1].account, "paper");
  values["ALPHASWARM_ALPACA_BASE_URL"] = "https://api.alpaca.markets";
  values["ALPHASWARM_TRADIER_BASE_URL"] = "https://user:hush@127.0.0.1:8100/v1";
  all = list(values);
  EXPECT_EQ(all[0].account, "live");
  EXPECT_EQ(all[1].host, "127.0.0.1:8100");  // nothing secret of the URL
  EXPECT_EQ(all[1].account, "");             // may be anything
}

}  // namespace
}  // namespace alphaswarm::cli
