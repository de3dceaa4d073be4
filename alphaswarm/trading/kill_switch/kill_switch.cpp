#include "alphaswarm/trading/kill_switch/kill_switch.hpp"

#include "alphaswarm/base/log.hpp"
#include "alphaswarm/net/runtime.hpp"
#include "alphaswarm/observability/tracing.hpp"
#include "alphaswarm/persistence/kill_switch_repository.hpp"

namespace alphaswarm::trading {

namespace otel = alphaswarm::observability;

namespace {

constexpr std::string_view kPart = "kill switch";

void finish(otel::Span& span, const Result<void>& result) {
  if (!result) span.error(result.error().message);
}

}  // namespace

KillSwitch::KillSwitch(std::shared_ptr<tasks::Bus> bus,
                       std::shared_ptr<persistence::Database> database, std::string key)
    : bus_(std::move(bus)), database_(std::move(database)), key_(std::move(key)) {}

net::task<Result<void>> KillSwitch::store(bool engaged, std::string reason) {
  co_return co_await net::blocking([&] {
    return persistence::KillSwitchRepository(*database_).set(engaged, reason, now_unix());
  });
}

net::task<Result<void>> KillSwitch::engage(std::string reason) {
  if (reason.empty()) reason = "no reason given";
  otel::Span span = otel::span("kill_switch.engage", {{"kill_switch.reason", reason}});
  // The bus first: sessions hear of it at once, even where the database answers late.
  const Result<void> set = co_await bus_->set(key_, reason, std::nullopt);
  // Only a wake-up for those who wait; whoever misses it asks before the next bar.
  const Result<void> told = co_await bus_->publish(engaged_channel(), reason);
  if (!told) span.event("kill_switch.publish_failed", {{"error", told.error().message}});
  log_warning(kPart, "engaged: " + reason);
  const Result<void> stored = co_await store(true, reason);
  Result<void> result;
  if (!stored && !set) {
    result = std::unexpected(stored.error());
  } else if (!stored) {
    log_warning(kPart, "the database did not take it: " + stored.error().message);
  } else if (!set) {
    log_warning(kPart, "the bus did not take it: " + set.error().message);
  }
  finish(span, result);
  co_return result;
}

net::task<Result<void>> KillSwitch::release(std::string reason) {
  otel::Span span = otel::span("kill_switch.release", {{"kill_switch.reason", reason}});
  const Result<bool> removed = co_await bus_->del(key_);
  Result<void> result;
  if (!removed) {
    result = std::unexpected(removed.error());
  } else {
    result = co_await store(false, reason);
  }
  if (result) {
    log_warning(kPart, "released" + (reason.empty() ? std::string() : ": " + reason));
    const Result<void> told = co_await bus_->publish(released_channel(), reason);
    if (!told) span.event("kill_switch.publish_failed", {{"error", told.error().message}});
  }
  finish(span, result);
  co_return result;
}

net::task<Result<KillSwitchState>> KillSwitch::state() {
  const Result<std::optional<std::string>> key = co_await bus_->get(key_);
  if (key && *key) co_return KillSwitchState{true, **key};
  const Result<persistence::KillSwitchRow> row = co_await net::blocking(
      [this] { return persistence::KillSwitchRepository(*database_).get(); });
  if (row && row->engaged) co_return KillSwitchState{true, row->reason};
  if (!key) {
    co_return fail(ErrorCode::unavailable,
                   "the kill switch cannot be read from the bus: " + key.error().message);
  }
  if (!row) {
    co_return fail(ErrorCode::unavailable,
                   "the kill switch cannot be read from the database: " + row.error().message);
  }
  co_return KillSwitchState{};
}

}  // namespace alphaswarm::trading
