#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "alphaswarm/trading/exchange/account.hpp"

namespace alphaswarm::trading::exchange {

// What POST /sim/v1/account asks for.
struct OpenRequest {
  MatchingConfig config;
  std::optional<Restored> restored;  // used only where the exchange has no such account
};
// {"cash", "interval", "slippage_bps", "commission_rate", "leverage", "allow_short",
//  "max_fill_share", "restore": {"bar_index", "cash", "positions": [{"symbol", "qty",
//  "avg_entry_price", "current_price", "realized_pl"}], "bars": […]}}; what is missing is as in
// `defaults`.
[[nodiscard]] ApiResult<OpenRequest> parse_open(std::string_view body,
                                                const MatchingConfig& defaults);

// All accounts, by API key id. Their number is bounded: when it is reached, the account that was
// closed longest ago makes room; with none closed, no new one is opened. Thread-safe.
class Accounts {
 public:
  struct Opened {
    std::shared_ptr<Account> account;
    bool created = false;
  };

  Accounts(const MatchingConfig& defaults, const AccountBounds& bounds, std::size_t max_accounts)
      : defaults_(defaults), bounds_(bounds), max_accounts_(max_accounts) {}

  // The account, made with the defaults at first sight of the key.
  [[nodiscard]] ApiResult<std::shared_ptr<Account>> get(std::string_view key_id);
  // An existing one must have been opened with the same terms, unless it was never used. One that
  // was never used makes room for what is restored.
  [[nodiscard]] ApiResult<Opened> open(std::string_view key_id, OpenRequest request);
  // It stays readable until its place is needed. Unknown keys are ignored.
  void close(std::string_view key_id);
  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] const MatchingConfig& defaults() const noexcept { return defaults_; }

 private:
  struct Entry {
    std::shared_ptr<Account> account;  // shared with the requests that use it now
    std::uint64_t closed_at = 0;       // running number; 0: open
  };
  [[nodiscard]] ApiResult<std::shared_ptr<Account>> make(std::string_view key_id,
                                                         MatchingConfig config,
                                                         std::optional<Restored> restored);
  [[nodiscard]] bool make_room();

  const MatchingConfig defaults_;
  const AccountBounds bounds_;
  const std::size_t max_accounts_;
  mutable std::mutex mutex_;
  std::map<std::string, Entry, std::less<>> entries_;  // guarded by mutex_
  std::uint64_t closings_ = 0;                         // guarded by mutex_
};

}  // namespace alphaswarm::trading::exchange
