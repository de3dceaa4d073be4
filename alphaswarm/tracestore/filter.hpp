#pragma once

// Which spans a search wants. All conditions must hold for one and the same span.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "alphaswarm/base/error.hpp"
#include "alphaswarm/tracestore/span_block.hpp"

namespace alphaswarm::tracestore {

struct AttributeCondition {
  enum class Operator : std::uint8_t {
    exists,
    equal,
    not_equal,
    less,
    less_equal,
    greater,
    greater_equal
  };
  // An attribute of the span, its resource, its scope or one of its events; or one of the fields
  // `name`, `kind` (also `span.kind`), `status` (also `otel.status_code`), `status.message` (also
  // `otel.status_description`), `service`, `error` (true: status is error), `duration`.
  std::string key;
  Operator op = Operator::equal;
  // As text; numbers compare as numbers where the attribute is one. Of an array, any element may
  // match. Every operator needs the key to be there: `a!=1` does not match a span without `a`.
  std::string value;
};

struct SpanFilter {
  std::string service{};  // empty: any
  std::string operation;  // empty: any; else the span's exact name
  std::optional<otlp::SpanKind> kind;
  std::uint64_t min_duration_ns = 0;
  std::uint64_t max_duration_ns = UINT64_MAX;
  std::uint64_t start_min_ns = 0;  // the span starts at or after, Unix
  std::uint64_t start_max_ns = UINT64_MAX;
  std::vector<AttributeCondition> conditions;
};

// Parses `key=value key!="a value" key>5 key` into conditions, which all must hold. Errors say
// what is wrong at which character.
[[nodiscard]] Result<std::vector<AttributeCondition>> parse_conditions(std::string_view text);

// "1.5ms", "2h45m", "100us", "10": Go's durations (a bare number other than 0 is an error). In ns.
[[nodiscard]] Result<std::uint64_t> parse_duration(std::string_view text);

// A filter made ready for scanning. Thread-safe; it refers to the filter.
class SpanMatcher {
 public:
  explicit SpanMatcher(const SpanFilter& filter);

  // False if no span of the block can match (cheap).
  [[nodiscard]] bool may_match(const SpanBlock& block) const;
  // Calls `see(index)` for each matching record of the block until it returns false.
  template <class See>
  bool each_match(const SpanBlock& block, See see) const {
    if (!may_match(block)) return true;
    const Plan plan = plan_for(block);
    for (std::uint32_t i = 0; i < block.records.size(); ++i) {
      const SpanRecord& record = block.records[i];
      if (plan.operations[record.operation] && record.duration_ns >= filter_.min_duration_ns &&
          record.duration_ns <= filter_.max_duration_ns &&
          record.start_ns >= filter_.start_min_ns && record.start_ns <= filter_.start_max_ns &&
          (conditions_.empty() || conditions_hold(plan, block, record)) && !see(i)) {
        return false;
      }
    }
    return true;
  }

 private:
  enum class Field : std::uint8_t {
    attribute,
    name,
    kind,
    status,
    status_message,
    service,
    error,
    duration
  };
  struct Condition {
    const AttributeCondition* text;
    Field field;
    std::optional<double> number;
    std::optional<std::int64_t> integer;
  };
  // What is the same for all spans of an operation or an origin is decided once for a block.
  struct Plan {
    std::vector<bool> operations;            // the filter wants it
    std::vector<std::vector<bool>> origins;  // by condition: it holds by resource or scope
  };
  [[nodiscard]] Plan plan_for(const SpanBlock& block) const;
  [[nodiscard]] bool conditions_hold(const Plan& plan, const SpanBlock& block,
                                     const SpanRecord& record) const;
  [[nodiscard]] static bool holds(const Condition& condition, const SpanBlock& block,
                                  const SpanRecord& record);
  [[nodiscard]] static bool compare(const Condition& condition, std::string_view value);
  [[nodiscard]] static bool compare(const Condition& condition, const otlp::AnyValueView& value);
  [[nodiscard]] static bool any_attribute(const Condition& condition,
                                          otlp::AttributeRange attributes);

  const SpanFilter& filter_;
  std::vector<Condition> conditions_;
};

}  // namespace alphaswarm::tracestore
