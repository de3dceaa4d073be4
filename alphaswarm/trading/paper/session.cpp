#include "alphaswarm/trading/paper/session.hpp"

#include <fmt/format.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "alphaswarm/base/ids.hpp"
#include "alphaswarm/trading/paper/session_run.hpp"

namespace alphaswarm::trading::paper {

namespace json = boost::json;
namespace otel = alphaswarm::observability;

namespace {

bool is_terminal(std::string_view status) {
  return status == "completed" || status == "cancelled" || status == "error";
}

persistence::RunRow new_row(const SessionRequest& request) {
  const SessionConfig& config = request.config;
  persistence::RunRow row;
  row.id = request.run_id.empty() ? random_uuid() : request.run_id;
  row.task_id = request.task_id;
  row.run_name = request.run_name.empty() ? config.run.run_name : request.run_name;
  row.strategy = config.run.strategy;
  row.brokerage = config.venue;
  row.feed = config.feed;
  row.status = "pending";
  row.started_at = now_unix();
  row.last_heartbeat_at = row.started_at;
  row.initial_cash = config.run.matching.initial_cash.value();
  row.config_json = json::serialize(to_json(config));
  return row;
}

SessionResult result_of(const persistence::RunRow& row) {
  return {.run_id = row.id,
          .trace_id = row.trace_id,
          .status = row.status,
          .reason = row.status_reason,
          .bars_seen = row.bars_seen,
          .orders = row.orders_submitted,
          .fills = row.fills,
          .initial_cash = Money(row.initial_cash),
          .final_equity = Money(row.final_equity.value_or(row.initial_cash)),
          .realised = Money(row.realised_pnl),
          .max_drawdown = row.max_drawdown};
}

}  // namespace

SessionRun::SessionRun(Services& services, SessionRequest request, persistence::RunRow row,
                       bool resumed)
    : services_(services),
      config_(std::move(request.config)),
      run_id_(row.id),
      task_id_(request.task_id.empty() ? row.id : request.task_id),
      row_(std::move(row)),
      resumed_(resumed),
      kill_switch_(services.bus, services.database, services.kill_switch_key),
      recorder_(*services.database, run_id_),
      orders_(recorder_),
      progress_(services.progress.get(), task_id_, run_id_),
      last_heartbeat_ns_(monotonic_ns()) {}

json::object to_json(const SessionResult& result) {
  const Decimal start = result.initial_cash.value();
  const double gained = result.final_equity.to_double() - start.to_double();
  return {{"run_id", result.run_id},
          {"trace_id", result.trace_id},
          {"status", result.status},
          {"reason", result.reason},
          {"bars_seen", result.bars_seen},
          {"orders", result.orders},
          {"fills", result.fills},
          {"initial_cash", result.initial_cash.to_string()},
          {"final_equity", result.final_equity.to_string()},
          {"realised_pnl", result.realised.to_string()},
          {"total_return", start.is_zero() ? 0.0 : gained / start.to_double()},
          {"max_drawdown", result.max_drawdown}};
}

net::task<Result<SessionResult>> run_session(Services& services, SessionRequest request) {
  persistence::RunRepository runs(*services.database);
  persistence::RunRow row = new_row(request);
  bool resumed = false;
  if (!request.run_id.empty()) {
    Result<std::optional<persistence::RunRow>> known = runs.find(request.run_id);
    if (!known) co_return std::unexpected(known.error());
    resumed = known->has_value();
    if (resumed) row = std::move(**known);
    if (resumed && is_terminal(row.status)) co_return result_of(row);  // told again, not run again
  }
  otel::SpanOptions options;
  options.provider = services.provider;
  otel::Span span = otel::span("paper.session.run", options,
                               {{"alphaswarm.run_id", row.id},
                                {"alphaswarm.task_id", request.task_id},
                                {"alphaswarm.run_name", row.run_name},
                                {"strategy.name", row.strategy},
                                {"broker.venue", row.brokerage},
                                {"paper.resumed", resumed}});
  const otel::SpanContext context = span.context();
  if (context.is_valid()) row.trace_id = context.trace_id.to_hex();
  const Result<void> written = resumed ? runs.update(row) : runs.insert(row);
  if (!written) {
    span.error(written.error().message);
    co_return std::unexpected(written.error());
  }
  // On the heap: it is large, and a coroutine frame is copied nowhere but lives as long.
  const auto run =
      std::make_unique<SessionRun>(services, std::move(request), std::move(row), resumed);
  co_return co_await run->run(span);
}

bool is_over(const persistence::RunRow& row) noexcept { return is_terminal(row.status); }

ShownStatus shown_status(const persistence::RunRow& row, UnixNanos now) {
  const bool should_live = !is_terminal(row.status) && row.status != "stale";
  if (!should_live) return {row.status, row.status_reason};
  boost::system::error_code malformed;
  const json::value config = json::parse(row.config_json, malformed);
  const auto parsed = !malformed && config.is_object() ? parse_session_config(config.get_object())
                                                       : parse_session_config({});
  const double heartbeat = parsed ? std::chrono::duration<double>(parsed->heartbeat).count() : 30.0;
  const double silent = (now.value - row.last_heartbeat_at.value_or(row.started_at).value) * 1e-9;
  if (silent <= 3 * heartbeat + 1) return {row.status, row.status_reason};
  return {"stale", fmt::format("no heartbeat for {:.0f} s; it was {}", silent, row.status)};
}

Result<int> mark_stale_runs(persistence::Database& database, UnixNanos now) {
  persistence::RunRepository runs(database);
  int marked = 0;
  for (const char* status :
       {"pending", "bootstrapping", "warming_up", "running", "halted", "stopping"}) {
    Result<std::vector<persistence::RunRow>> rows = runs.with_status(status);
    if (!rows) return std::unexpected(rows.error());
    for (persistence::RunRow& row : *rows) {
      ShownStatus shown = shown_status(row, now);
      if (shown.status == row.status) continue;
      row.status = std::move(shown.status);
      row.status_reason = std::move(shown.reason);
      if (const Result<void> written = runs.update(row); !written) {
        return std::unexpected(written.error());
      }
      ++marked;
    }
  }
  return marked;
}

}  // namespace alphaswarm::trading::paper
