#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <string>

#include "alphaswarm/net/coroutine.hpp"
#include "alphaswarm/persistence/fill_repository.hpp"
#include "alphaswarm/persistence/ledger_repository.hpp"
#include "alphaswarm/persistence/order_repository.hpp"
#include "alphaswarm/tasks/progress.hpp"

namespace alphaswarm::trading::paper {

// Progress frames of a session: stage `state`, `bar` (at most one each 100 ms, and the last), and
// `order`, `fill` and `ledger` as they happen. Used by the session's task only.
class ProgressReporter {
 public:
  struct BarFrame {
    std::int64_t done = 0, total = 0;
    std::string bar_time, symbol;
    double equity = 0, cash = 0, drawdown = 0;
    boost::json::object positions;  // symbol → quantity
    std::int64_t orders = 0, fills = 0;
  };

  // `bus` may be null.
  ProgressReporter(tasks::ProgressBus* bus, std::string task_id, std::string run_id)
      : bus_(bus), task_id_(std::move(task_id)), run_id_(std::move(run_id)) {}

  // Whether a bar's frame is due: ask before making one.
  [[nodiscard]] bool wants_bar(bool last) const noexcept;
  net::task<void> bar(BarFrame frame);
  net::task<void> state(std::string status, std::string reason);
  net::task<void> order(persistence::OrderRow row);
  net::task<void> fill(persistence::FillRow row);
  net::task<void> ledger(persistence::LedgerRow row);

 private:
  net::task<void> emit(std::string stage, std::string message, boost::json::object extras);

  tasks::ProgressBus* bus_;
  const std::string task_id_, run_id_;
  std::int64_t last_bar_ns_ = 0;  // monotonic
};

}  // namespace alphaswarm::trading::paper
