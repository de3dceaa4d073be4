#include "alphaswarm/trading/paper/recorder.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "alphaswarm/trading/broker/named_uuid.hpp"

namespace alphaswarm::trading::paper {

namespace {

// More than any run writes within the bars that a resume can repeat.
constexpr std::int64_t kMaxKnown = 1'000'000;

}  // namespace

Result<void> Recorder::load_known() {
  resumed_ = true;
  persistence::LedgerRepository ledger(database_);
  const auto lines = ledger.for_run(run_id_, kMaxKnown);
  if (!lines) return std::unexpected(lines.error());
  for (const persistence::LedgerRow& line : *lines) known_.insert(line.id);
  persistence::SignalRepository signals(database_);
  const auto rows = signals.for_run(run_id_, kMaxKnown);
  if (!rows) return std::unexpected(rows.error());
  for (const persistence::SignalRow& row : *rows) known_.insert(row.id);
  return {};
}

void Recorder::begin_bar(std::int64_t bar_index) {
  bar_index_ = bar_index;
  place_ = 0;
}

void Recorder::order(persistence::OrderRow row) {
  const auto same =
      std::ranges::find(orders_, row.client_order_id, &persistence::OrderRow::client_order_id);
  if (same != orders_.end()) {
    *same = std::move(row);
  } else {
    orders_.push_back(std::move(row));
  }
}

void Recorder::fill(persistence::FillRow row) { fills_.push_back(std::move(row)); }

persistence::LedgerRow Recorder::ledger(const LedgerLine& line, const LineContext& context) {
  persistence::LedgerRow row;
  row.id = named_uuid(fmt::format("{}/ledger/{}/{}", run_id_, bar_index_, place_));
  row.run_id = run_id_;
  row.client_order_id = context.client_order_id;
  row.entry_type = to_string(line.type);
  row.level = line.level;
  row.message = line.message;
  row.payload_json = line.payload_json;
  if (context.span.is_valid()) {
    row.trace_id = context.span.trace_id.to_hex();
    row.span_id = context.span.span_id.to_hex();
  }
  row.created_at = now_unix();
  if (line.type == LedgerType::signal) {
    persistence::SignalRow signal;
    signal.id = named_uuid(fmt::format("{}/signal/{}/{}", run_id_, bar_index_, place_));
    signal.run_id = run_id_;
    signal.strategy = context.strategy;
    signal.vt_symbol = context.symbol;
    signal.bar_time = line.time;
    signal.side = context.side;
    signal.strength = context.strength;
    signal.reason = line.message;
    signal.trace_id = row.trace_id;
    signal.span_id = row.span_id;
    signal.created_at = row.created_at;
    if (!resumed_ || is_new(signal.id)) signals_.push_back(std::move(signal));
  }
  ++place_;
  if (!resumed_ || is_new(row.id)) ledger_.push_back(row);
  return row;
}

Result<void> Recorder::write(persistence::SqlExecutor& to, const persistence::RunRow* run) {
  persistence::OrderRepository orders(to);
  for (const persistence::OrderRow& row : orders_) {
    if (Result<void> done = orders.upsert(row); !done) return done;
  }
  persistence::FillRepository fills(to);
  for (const persistence::FillRow& row : fills_) {
    if (const Result<bool> done = fills.insert(row); !done) return std::unexpected(done.error());
  }
  persistence::SignalRepository signals(to);
  for (const persistence::SignalRow& row : signals_) {
    if (Result<void> done = signals.append(row); !done) return done;
  }
  if (!ledger_.empty()) {
    persistence::LedgerRepository ledger(to);
    if (Result<void> done = ledger.append(ledger_); !done) return done;
  }
  if (run == nullptr) return {};
  return persistence::RunRepository(to).update(*run);
}

Result<void> Recorder::commit(const persistence::RunRow* run) {
  const bool nothing = orders_.empty() && fills_.empty() && ledger_.empty() && signals_.empty();
  if (nothing && run == nullptr) return {};
  // Every row has an id of its own and is written once, so trying again is harmless.
  const Result<void> done = persistence::in_transaction(
      database_, [&](persistence::SqlExecutor& transaction) { return write(transaction, run); },
      persistence::Effects::idempotent);
  if (!done) return done;
  forget();
  return {};
}

void Recorder::forget() {
  orders_.clear();
  fills_.clear();
  ledger_.clear();
  signals_.clear();
}

}  // namespace alphaswarm::trading::paper
