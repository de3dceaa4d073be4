#include "alphaswarm/trading/exchange/faults.hpp"

#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <string_view>

namespace alphaswarm::trading::exchange {

namespace json = boost::json;

namespace {

// Takes a number in [low, high]; anything else is an error that names the key.
Result<double> number_in(const json::value& value, std::string_view key, double low, double high) {
  const double number = value.is_number() ? value.to_number<double>() : low - 1;
  if (number >= low && number <= high) return number;
  return fail(ErrorCode::invalid_argument,
              fmt::format("{} must be a number from {} to {}", key, low, high));
}

Result<bool> flag(const json::value& value, std::string_view key) {
  if (value.is_bool()) return value.get_bool();
  return fail(ErrorCode::invalid_argument, fmt::format("{} must be true or false", key));
}

Result<void> apply(FaultSettings& settings, std::string_view key, const json::value& value) {
  if (key == "after_effect" || key == "garbage") {
    const Result<bool> on = flag(value, key);
    if (!on) return std::unexpected(on.error());
    (key == "garbage" ? settings.garbage : settings.after_effect) = *on;
    return {};
  }
  struct Bounds {
    std::string_view key;
    double low, high;
  };
  static constexpr Bounds kNumbers[] = {
      {"latency_ms", 0, 60'000},  {"latency_jitter_ms", 0, 60'000},
      {"error_rate", 0, 1},       {"fail_next", 0, 1'000'000},
      {"error_status", 400, 599}, {"retry_after_seconds", 0, 3600},
      {"seed", 0, 9e15}};
  for (const Bounds& bounds : kNumbers) {
    if (bounds.key != key) continue;
    const Result<double> number = number_in(value, key, bounds.low, bounds.high);
    if (!number) return std::unexpected(number.error());
    const auto whole = static_cast<std::int64_t>(*number);
    if (key == "latency_ms") settings.latency = std::chrono::milliseconds(whole);
    if (key == "latency_jitter_ms") settings.latency_jitter = std::chrono::milliseconds(whole);
    if (key == "error_rate") settings.error_rate = *number;
    if (key == "fail_next") settings.fail_next = static_cast<int>(whole);
    if (key == "error_status") settings.error_status = static_cast<int>(whole);
    if (key == "retry_after_seconds") settings.retry_after_seconds = static_cast<int>(whole);
    if (key == "seed") settings.seed = static_cast<std::uint64_t>(whole);
    return {};
  }
  return fail(ErrorCode::invalid_argument, fmt::format("unknown fault setting {}", key));
}

}  // namespace

Result<FaultSettings> parse_faults(const json::value& value) {
  if (!value.is_object()) return fail(ErrorCode::invalid_argument, "faults must be a JSON object");
  FaultSettings settings;
  for (const auto& entry : value.get_object()) {
    if (entry.value().is_null()) continue;
    if (Result<void> applied = apply(settings, entry.key(), entry.value()); !applied) {
      return std::unexpected(applied.error());
    }
  }
  return settings;
}

json::value to_json(const FaultSettings& settings) {
  json::object object{{"latency_ms", settings.latency.count()},
                      {"latency_jitter_ms", settings.latency_jitter.count()},
                      {"error_rate", settings.error_rate},
                      {"fail_next", settings.fail_next},
                      {"error_status", settings.error_status},
                      {"retry_after_seconds", nullptr},
                      {"after_effect", settings.after_effect},
                      {"garbage", settings.garbage},
                      {"seed", settings.seed}};
  if (settings.retry_after_seconds) object["retry_after_seconds"] = *settings.retry_after_seconds;
  return object;
}

void Faults::set(FaultSettings settings) {
  const std::scoped_lock lock(mutex_);
  settings_ = settings;
  random_ = Random(settings.seed);
}

FaultSettings Faults::settings() const {
  const std::scoped_lock lock(mutex_);
  return settings_;
}

Faults::Verdict Faults::next() {
  const std::scoped_lock lock(mutex_);
  Verdict verdict{settings_.latency, false, settings_};
  if (settings_.latency_jitter.count() > 0) {
    const auto most =
        static_cast<double>(std::chrono::nanoseconds(settings_.latency_jitter).count());
    verdict.delay += std::chrono::nanoseconds(static_cast<std::int64_t>(random_.uniform() * most));
  }
  if (settings_.fail_next > 0) {
    --settings_.fail_next;
    verdict.fails = true;
  } else if (settings_.error_rate > 0) {
    verdict.fails = random_.uniform() < settings_.error_rate;
  }
  return verdict;
}

}  // namespace alphaswarm::trading::exchange
