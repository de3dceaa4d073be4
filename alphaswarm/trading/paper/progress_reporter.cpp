#include "alphaswarm/trading/paper/progress_reporter.hpp"

#include <fmt/format.h>

#include <boost/json/parse.hpp>

namespace alphaswarm::trading::paper {

namespace json = boost::json;

namespace {

constexpr std::int64_t kBarFrameEveryNs = 100'000'000;

json::value text_or_null(const std::optional<Decimal>& amount) {
  return amount ? json::value(amount->to_string()) : json::value(nullptr);
}

}  // namespace

net::task<void> ProgressReporter::emit(std::string stage, std::string message,
                                       json::object extras) {
  if (bus_ == nullptr) co_return;
  extras["run_id"] = run_id_;
  co_await bus_->emit(task_id_, std::move(stage), std::move(message), std::move(extras));
}

bool ProgressReporter::wants_bar(bool last) const noexcept {
  return bus_ != nullptr && (last || monotonic_ns() - last_bar_ns_ >= kBarFrameEveryNs);
}

net::task<void> ProgressReporter::bar(BarFrame frame) {
  last_bar_ns_ = monotonic_ns();
  std::string message = fmt::format("bar {} of {}", frame.done, frame.total);
  json::object extras{{"bars_done", frame.done},    {"bars_total", frame.total},
                      {"bar_time", frame.bar_time}, {"symbol", frame.symbol},
                      {"equity", frame.equity},     {"cash", frame.cash},
                      {"drawdown", frame.drawdown}, {"positions", std::move(frame.positions)},
                      {"orders", frame.orders},     {"fills", frame.fills}};
  co_await emit("bar", std::move(message), std::move(extras));
}

net::task<void> ProgressReporter::state(std::string status, std::string reason) {
  std::string message = reason.empty() ? status : status + ": " + reason;
  json::object extras{{"status", status}, {"reason", reason}};
  co_await emit("state", std::move(message), std::move(extras));
}

net::task<void> ProgressReporter::order(persistence::OrderRow row) {
  std::string message = fmt::format("{} {} {} {}: {}", row.order_type, row.side,
                                    row.quantity.to_string(), row.vt_symbol, row.status);
  json::object extras{{"client_order_id", row.client_order_id},
                      {"symbol", row.vt_symbol},
                      {"side", row.side},
                      {"order_type", row.order_type},
                      {"quantity", row.quantity.to_string()},
                      {"filled_quantity", row.filled_quantity.to_string()},
                      {"average_price", text_or_null(row.average_price)},
                      {"status", row.status},
                      {"status_reason", row.status_reason},
                      {"span_id", row.span_id}};
  co_await emit("order", std::move(message), std::move(extras));
}

net::task<void> ProgressReporter::fill(persistence::FillRow row) {
  std::string message = fmt::format("{} {} {} at {}", row.side, row.quantity.to_string(),
                                    row.vt_symbol, row.price.to_string());
  json::object extras{{"fill_id", row.id},
                      {"client_order_id", row.client_order_id},
                      {"symbol", row.vt_symbol},
                      {"side", row.side},
                      {"quantity", row.quantity.to_string()},
                      {"price", row.price.to_string()},
                      {"commission", row.commission.to_string()},
                      {"filled_at", to_rfc3339(row.filled_at)},
                      {"span_id", row.span_id}};
  co_await emit("fill", std::move(message), std::move(extras));
}

net::task<void> ProgressReporter::ledger(persistence::LedgerRow row) {
  boost::system::error_code malformed;
  json::value payload = json::parse(row.payload_json, malformed);
  json::object extras{{"entry_type", row.entry_type},
                      {"level", row.level},
                      {"client_order_id", row.client_order_id},
                      {"payload", std::move(payload)},
                      {"span_id", row.span_id}};
  co_await emit("ledger", std::move(row.message), std::move(extras));
}

}  // namespace alphaswarm::trading::paper
