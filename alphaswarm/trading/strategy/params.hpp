#pragma once

// Reads settings from a JSON object, with errors that name the setting, its value and the range.

#include <boost/json/object.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alphaswarm/base/decimal.hpp"
#include "alphaswarm/base/error.hpp"

namespace alphaswarm::trading {

struct IntegerRange {
  std::int64_t low, high;
};
struct NumberRange {
  double low, high;
  bool above_low = false;  // low itself is not allowed
};

// Read all settings, then ask `finish`: the first problem wins, and settings nobody read are
// unknown. `where` starts every message, e.g. "strategy mean_reversion".
class Params {
 public:
  Params(std::string where, const boost::json::object& values)
      : where_(std::move(where)), values_(values) {}

  std::int64_t integer(std::string_view name, std::int64_t fallback, IntegerRange range);
  double number(std::string_view name, double fallback, NumberRange range);
  Decimal decimal(std::string_view name, Decimal fallback, NumberRange range);  // number or text
  bool boolean(std::string_view name, bool fallback);
  std::string text(std::string_view name, std::string_view fallback);

  // A setting that is allowed and read elsewhere.
  void ignore(std::string_view name) { known_.emplace_back(name); }

  // For conditions between settings: "<where>: <message>".
  void problem(std::string_view message);
  [[nodiscard]] Result<void> finish();

 private:
  const boost::json::value* take(std::string_view name);

  std::string where_;
  const boost::json::object& values_;  // NOLINT: lives in the caller's frame
  std::vector<std::string> known_;
  std::optional<std::string> first_problem_;
};

}  // namespace alphaswarm::trading
