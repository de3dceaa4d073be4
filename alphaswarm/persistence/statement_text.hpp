#pragma once

#include <string>
#include <string_view>

namespace alphaswarm::persistence::detail {

// What a statement does, read off its first words: enough for names of spans, not a parser.
struct StatementText {
  std::string operation;  // first word in upper case; of WITH …, the statement behind it
  std::string target;     // the table behind INTO, FROM, UPDATE or TABLE; empty if there is none
};

[[nodiscard]] StatementText describe_statement(std::string_view sql);

}  // namespace alphaswarm::persistence::detail
