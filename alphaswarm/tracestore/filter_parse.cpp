#include <charconv>
#include <cmath>

#include "alphaswarm/tracestore/filter.hpp"

namespace alphaswarm::tracestore {
namespace {

using Operator = AttributeCondition::Operator;

class ConditionParser {
 public:
  explicit ConditionParser(std::string_view text) : text_(text) {}

  Result<std::vector<AttributeCondition>> all() {
    std::vector<AttributeCondition> conditions;
    for (skip_blanks(); at_ < text_.size(); skip_blanks()) {
      AttributeCondition condition;
      auto key = word("=!<>");
      if (!key) return std::unexpected(key.error());
      if (key->empty()) return wrong("a key is expected");
      condition.key = std::move(*key);
      condition.op = operation();
      if (condition.op != Operator::exists) {
        auto value = word("");
        if (!value) return std::unexpected(value.error());
        condition.value = std::move(*value);
      } else if (at_ < text_.size() && !is_blank()) {
        return wrong("'!' must be followed by '='");
      }
      conditions.push_back(std::move(condition));
    }
    return conditions;
  }

 private:
  [[nodiscard]] bool is_blank() const { return text_[at_] == ' ' || text_[at_] == '\t'; }
  void skip_blanks() {
    while (at_ < text_.size() && is_blank()) ++at_;
  }
  [[nodiscard]] std::unexpected<Error> wrong(std::string_view what) const {
    return fail(ErrorCode::invalid_argument,
                "attribute query, character " + std::to_string(at_ + 1) + ": " + std::string(what));
  }

  Operator operation() {
    static constexpr std::pair<std::string_view, Operator> kOperators[] = {
        {"!=", Operator::not_equal}, {"<=", Operator::less_equal}, {">=", Operator::greater_equal},
        {"=", Operator::equal},      {"<", Operator::less},        {">", Operator::greater}};
    for (const auto& [sign, op] : kOperators) {
      if (text_.substr(at_).starts_with(sign)) {
        at_ += sign.size();
        return op;
      }
    }
    return Operator::exists;
  }

  // Up to a blank or one of `stops`; in double quotes anything, with \" and \\.
  Result<std::string> word(std::string_view stops) {
    std::string out;
    if (at_ < text_.size() && text_[at_] == '"') {
      const std::size_t start = at_;
      for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
        if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
        out += text_[at_];
      }
      if (at_ >= text_.size()) {
        at_ = start;
        return wrong("this quote is never closed");
      }
      ++at_;
      return out;
    }
    while (at_ < text_.size() && !is_blank() && !stops.contains(text_[at_])) out += text_[at_++];
    return out;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

Result<std::vector<AttributeCondition>> parse_conditions(std::string_view text) {
  return ConditionParser(text).all();
}

Result<std::uint64_t> parse_duration(std::string_view text) {
  static constexpr std::pair<std::string_view, double> kUnits[] = {
      {"ns", 1},   {"us", 1e3}, {"µs", 1e3}, {"\u03bcs", 1e3},
      {"ms", 1e6}, {"s", 1e9},  {"m", 60e9}, {"h", 3600e9}};
  const auto wrong = [&] {
    return fail(ErrorCode::invalid_argument, "'" + std::string(text) +
                                                 "' is not a duration; write for example 1.5ms, "
                                                 "100us or 2h45m");
  };
  if (text == "0") return 0;
  if (text.empty()) return wrong();
  double total = 0;
  for (std::string_view rest = text; !rest.empty();) {
    double number = 0;
    const auto [end, code] =
        std::from_chars(rest.data(), rest.data() + rest.size(), number, std::chars_format::fixed);
    if (code != std::errc() || number < 0) return wrong();
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    double unit = 0;
    std::size_t length = 0;
    for (const auto& [name, factor] : kUnits) {
      if (rest.starts_with(name) && name.size() > length) {
        unit = factor;
        length = name.size();
      }
    }
    if (length == 0) return wrong();
    rest.remove_prefix(length);
    total += number * unit;
  }
  if (!(total < 9.2e18)) return wrong();
  return static_cast<std::uint64_t>(std::llround(total));
}

}  // namespace alphaswarm::tracestore
