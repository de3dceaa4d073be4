#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace alphaswarm::persistence::detail {

// What a statement does, read off its first words: enough for names of spans, not a parser.
struct StatementText {
  std::string operation;  // first word in upper case; of WITH …, what it changes or selects
  std::string target;  // the table behind INTO, FROM, UPDATE, COPY or TABLE; empty if there is none
};

[[nodiscard]] StatementText describe_statement(std::string_view sql);

// How many placeholders $1, $2, … a statement has; nothing if they do not first appear in that
// order.
[[nodiscard]] std::optional<std::size_t> count_placeholders(std::string_view sql);

}  // namespace alphaswarm::persistence::detail
