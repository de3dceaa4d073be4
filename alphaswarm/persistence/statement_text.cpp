#include "alphaswarm/persistence/statement_text.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <vector>

namespace alphaswarm::persistence::detail {
namespace {

constexpr std::size_t kMaxWords = 400;

bool word_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.' || c == '$';
}

std::string upper(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](char c) {
    return static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  });
  return result;
}

struct Word {
  std::string_view text;
  int depth;  // of parentheses
  bool quoted;
};

// Words and quoted names with their depth; text literals and comments are left out.
std::vector<Word> words_of(std::string_view sql, std::size_t most = kMaxWords) {
  std::vector<Word> words;
  int depth = 0;
  std::size_t at = 0;
  const auto skip_past = [&](std::string_view end, std::size_t from) {
    const std::size_t found = sql.find(end, from);
    at = found == std::string_view::npos ? sql.size() : found + end.size();
  };
  while (at < sql.size() && words.size() < most) {
    const char c = sql[at];
    if (sql.substr(at).starts_with("--")) {
      skip_past("\n", at);
    } else if (sql.substr(at).starts_with("/*")) {
      skip_past("*/", at + 2);
    } else if (c == '\'') {
      skip_past("'", at + 1);
    } else if (c == '"') {
      const std::size_t first = at + 1;
      skip_past("\"", first);
      words.push_back({sql.substr(first, at - first - (at > first ? 1 : 0)), depth, true});
    } else if (word_character(c)) {
      const std::size_t first = at;
      while (at < sql.size() && word_character(sql[at])) ++at;
      words.push_back({sql.substr(first, at - first), depth, false});
    } else {
      if (c == '(') ++depth;
      if (c == ')') --depth;
      ++at;
    }
  }
  return words;
}

bool is_noise(const std::string& word) {
  return word == "IF" || word == "NOT" || word == "EXISTS" || word == "ONLY";
}

}  // namespace

StatementText describe_statement(std::string_view sql) {
  const std::vector<Word> words = words_of(sql);
  StatementText result;
  bool with = false;
  int depth = 0;  // of the statement that counts
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i].quoted) continue;
    const std::string word = upper(words[i].text);
    if (result.operation.empty()) {
      if (i == 0 && word == "WITH") {
        with = true;
        continue;
      }
      // Of WITH … the first that changes something, which may be inside, else the SELECT behind.
      const bool changes = word == "INSERT" || word == "UPDATE" || word == "DELETE";
      if (with && !(changes && words[i].depth <= 1) && !(word == "SELECT" && words[i].depth == 0)) {
        continue;
      }
      depth = words[i].depth;
      result.operation = word;
      if (word != "UPDATE" && word != "COPY") continue;
    }
    if (words[i].depth != depth) continue;
    if (word != "INTO" && word != "FROM" && word != "UPDATE" && word != "TABLE" && word != "ON" &&
        word != "COPY") {
      continue;
    }
    std::size_t next = i + 1;
    while (next < words.size() && !words[next].quoted && is_noise(upper(words[next].text))) ++next;
    if (next < words.size() && words[next].depth == depth) result.target = words[next].text;
    break;
  }
  return result;
}

std::optional<std::size_t> count_placeholders(std::string_view sql) {
  std::size_t highest = 0;
  for (const Word& word : words_of(sql, sql.size())) {
    if (word.quoted || !word.text.starts_with('$')) continue;
    std::size_t number = 0;
    const char* end = word.text.data() + word.text.size();
    if (std::from_chars(word.text.data() + 1, end, number).ptr != end) return std::nullopt;
    if (number == highest + 1) ++highest;
    if (number == 0 || number > highest) return std::nullopt;
  }
  return highest;
}

}  // namespace alphaswarm::persistence::detail
