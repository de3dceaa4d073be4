#pragma once

// Orders by hand at the simulated exchange. No session moves the market of their account, so the
// broker does: before and after an order it shows the account the last close that the database has
// of the symbol, as a bar of this moment. A market order is filled there and then, with the
// account's slippage; one that waits for a price meets the market again with the next order of its
// symbol, and what became of it is told by take_news().

#include <mutex>
#include <optional>
#include <vector>

#include "alphaswarm/net/task.hpp"
#include "alphaswarm/persistence/database.hpp"
#include "alphaswarm/trading/broker/sim_broker.hpp"

namespace alphaswarm::trading {

class DeskBroker final : public SimBroker {
 public:
  // Both references MUST outlive the broker.
  DeskBroker(SimConfig config, net::HttpClient& http, persistence::Database& database)
      : SimBroker(std::move(config), http), database_(database) {}

  // Also not_found if the database has no bar of the symbol.
  net::task<Result<Order>> submit_order(OrderRequest request) override;
  // Of too many that nobody takes the oldest are dropped, which is logged.
  [[nodiscard]] std::vector<BrokerUpdate> take_news() override;

 private:
  // A bar that was shown, and not answered: the exchange may have seen it or not.
  struct Unanswered {
    std::int64_t index;
    SymbolBar bar;
    ClientOrderId told;  // an order whose part in it is known all the same; may be empty
  };

  [[nodiscard]] Result<Bar> last_close(const VtSymbol& symbol) const;
  // `own`: the order that is being placed, whose news is the answer to it.
  net::task<Result<void>> show(const VtSymbol& symbol, Bar bar, const ClientOrderId& own);
  // The step without an answer once more, which changes nothing if the exchange has seen it. What
  // it refuses is forgotten.
  net::task<Result<void>> repeat_unanswered(const ClientOrderId& own);
  net::task<Result<void>> open_market();
  net::task<Result<void>> step(SymbolBar bar, const ClientOrderId& own);
  void keep(std::vector<BrokerUpdate> updates, const ClientOrderId& own, const ClientOrderId& told);

  persistence::Database& database_;
  net::AsyncMutex one_at_a_time_;
  std::int64_t next_index_ = -1;  // of the account's next bar; −1: ask
  std::optional<Unanswered> unanswered_;
  std::mutex news_mutex_;
  std::vector<BrokerUpdate> news_;  // guarded by news_mutex_
};

}  // namespace alphaswarm::trading
