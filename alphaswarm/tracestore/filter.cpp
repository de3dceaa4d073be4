#include "alphaswarm/tracestore/filter.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <compare>
#include <cstring>

namespace alphaswarm::tracestore {
namespace {

using Operator = AttributeCondition::Operator;

template <class T>
std::optional<T> parse_number(std::string_view text) {
  T value{};
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool satisfies(Operator op, std::partial_ordering order) {
  switch (op) {
    case Operator::exists:
      return true;
    case Operator::equal:
      return order == 0;
    case Operator::not_equal:
      return order != 0;
    case Operator::less:
      return order < 0;
    case Operator::less_equal:
      return order <= 0;
    case Operator::greater:
      return order > 0;
    case Operator::greater_equal:
      return order >= 0;
  }
  return false;
}

bool contains(std::string_view bytes, std::string_view part) {
  return ::memmem(bytes.data(), bytes.size(), part.data(), part.size()) != nullptr;
}

// Only text can hold it: a search for its bytes finds every span that may match.
bool is_plain_text(std::string_view value) {
  return value.size() >= 4 && value != "true" && value != "false" && !parse_number<double>(value) &&
         value.find_first_of("[{\\\"=") == std::string_view::npos;
}

bool origins_contain(const SpanBlock& block, std::string_view text) {
  return std::ranges::any_of(block.origins, [&](const Origin& origin) {
    return contains(origin.resource->encoded, text) || contains(origin.scope->encoded, text);
  });
}

}  // namespace

SpanMatcher::SpanMatcher(const SpanFilter& filter) : filter_(filter) {
  static constexpr std::pair<std::string_view, Field> kFields[] = {
      {"name", Field::name},
      {"kind", Field::kind},
      {"span.kind", Field::kind},
      {"status", Field::status},
      {"otel.status_code", Field::status},
      {"status.message", Field::status_message},
      {"otel.status_description", Field::status_message},
      {"service", Field::service},
      {"error", Field::error},
      {"duration", Field::duration}};
  for (const AttributeCondition& condition : filter.conditions) {
    Condition& made = conditions_.emplace_back();
    made.text = &condition;
    made.field = Field::attribute;
    for (const auto& [name, field] : kFields) {
      if (condition.key == name) made.field = field;
    }
    made.number = parse_number<double>(condition.value);
    made.integer = parse_number<std::int64_t>(condition.value);
    if (made.field == Field::duration) {
      const auto duration = parse_duration(condition.value);
      if (duration) made.integer = static_cast<std::int64_t>(*duration);
    }
  }
}

bool SpanMatcher::may_match(const SpanBlock& block) const {
  if (block.max_duration_ns < filter_.min_duration_ns ||
      block.min_start_ns > filter_.start_max_ns || block.max_end_ns < filter_.start_min_ns) {
    return false;
  }
  return std::ranges::all_of(conditions_, [&](const Condition& condition) {
    if (condition.field != Field::attribute) return true;
    const std::string& key = condition.text->key;
    const std::string& value = condition.text->value;
    const bool rare_text = condition.text->op == Operator::equal && is_plain_text(value);
    const std::string_view part = rare_text ? value : key;
    return contains(block.bytes, part) || origins_contain(block, part);
  });
}

SpanMatcher::Plan SpanMatcher::plan_for(const SpanBlock& block) const {
  Plan plan;
  plan.operations.reserve(block.operations.size());
  for (const BlockOperation& operation : block.operations) {
    plan.operations.push_back((filter_.service.empty() || operation.service == filter_.service) &&
                              (filter_.operation.empty() || operation.name == filter_.operation) &&
                              (!filter_.kind || operation.kind == *filter_.kind));
  }
  for (const Condition& condition : conditions_) {
    auto& origins = plan.origins.emplace_back();
    const bool by_key = condition.field == Field::attribute || condition.field == Field::error;
    for (const Origin& origin : block.origins) {
      origins.push_back(by_key && (any_attribute(condition, origin.resource->attributes()) ||
                                   any_attribute(condition, origin.scope->attributes())));
    }
  }
  return plan;
}

bool SpanMatcher::conditions_hold(const Plan& plan, const SpanBlock& block,
                                  const SpanRecord& record) const {
  for (std::size_t i = 0; i < conditions_.size(); ++i) {
    if (!plan.origins[i][record.origin] && !holds(conditions_[i], block, record)) return false;
  }
  return true;
}

bool SpanMatcher::holds(const Condition& condition, const SpanBlock& block,
                        const SpanRecord& record) {
  const BlockOperation& operation = block.operation(record);
  switch (condition.field) {
    case Field::name:
      return compare(condition, operation.name);
    case Field::kind:
      return compare(condition, otlp::to_string(operation.kind));
    case Field::service:
      return compare(condition, operation.service);
    case Field::status: {
      std::string lower = condition.text->value;
      std::ranges::transform(lower, lower.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
      });
      const bool same = lower == otlp::to_string(record.status);
      return condition.text->op == Operator::not_equal ? !same : same;
    }
    case Field::status_message: {
      const std::string_view message = block.view(record).status_message;
      return !message.empty() && compare(condition, message);
    }
    case Field::duration:
      return condition.integer &&
             satisfies(condition.text->op,
                       static_cast<std::int64_t>(record.duration_ns) <=> *condition.integer);
    case Field::error:
      if (compare(condition, record.failed() ? "true" : "false")) return true;
      [[fallthrough]];
    case Field::attribute:
      break;
  }
  if (any_attribute(condition, {block.encoded(record), 9})) return true;
  if (record.event_count == 0) return false;
  for (const otlp::EventView event : block.view(record).events()) {
    if (any_attribute(condition, event.attributes())) return true;
  }
  return false;
}

bool SpanMatcher::any_attribute(const Condition& condition, otlp::AttributeRange attributes) {
  for (const otlp::KeyValueView attribute : attributes) {
    if (attribute.key() == condition.text->key && compare(condition, attribute.value())) {
      return true;
    }
  }
  return false;
}

bool SpanMatcher::compare(const Condition& condition, std::string_view value) {
  const Operator op = condition.text->op;
  if (op != Operator::equal && op != Operator::not_equal && op != Operator::exists &&
      condition.number) {
    const auto number = parse_number<double>(value);  // "10" > "9" where both are numbers
    if (number) return satisfies(op, *number <=> *condition.number);
  }
  return satisfies(op, value <=> std::string_view(condition.text->value));
}

bool SpanMatcher::compare(const Condition& condition, const otlp::AnyValueView& value) {
  using Type = otlp::AnyValueView::Type;
  const Operator op = condition.text->op;
  if (op == Operator::exists) return true;
  switch (value.type()) {
    case Type::text:
      return compare(condition, value.text());
    case Type::boolean:
      return compare(condition, value.boolean() ? "true" : "false");
    case Type::integer:
      if (condition.integer) return satisfies(op, value.integer() <=> *condition.integer);
      if (condition.number) {
        return satisfies(op, static_cast<double>(value.integer()) <=> *condition.number);
      }
      return op == Operator::not_equal;
    case Type::real:
      if (condition.number) return satisfies(op, value.real() <=> *condition.number);
      return op == Operator::not_equal;
    case Type::array:
      for (const otlp::AnyValueView element : value.elements()) {
        if (compare(condition, element)) return true;
      }
      return otlp::to_text(value) == condition.text->value && op == Operator::equal;
    case Type::map:
    case Type::bytes:
      return satisfies(op, otlp::to_text(value) <=> condition.text->value);
    case Type::none:
      return false;
  }
  return false;
}

}  // namespace alphaswarm::tracestore
