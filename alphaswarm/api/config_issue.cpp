#include "alphaswarm/api/config_issue.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace alphaswarm::api {

namespace json = boost::json;

namespace {

struct Word {
  std::string_view text;
  bool quoted = false;  // it stood in '…': a key that is not known, or a value
};

bool is_word_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// Words, and what stands between quotes as one.
std::vector<Word> words_of(std::string_view sentence) {
  std::vector<Word> words;
  for (std::size_t i = 0; i < sentence.size();) {
    if (sentence[i] == '\'') {
      const std::size_t end = sentence.find('\'', i + 1);
      if (end == sentence.npos) break;
      words.push_back({sentence.substr(i + 1, end - i - 1), true});
      i = end + 1;
    } else if (is_word_char(sentence[i])) {
      const std::size_t start = i;
      while (i < sentence.size() && is_word_char(sentence[i])) ++i;
      words.push_back({sentence.substr(start, i - start), false});
    } else {
      ++i;
    }
  }
  return words;
}

// The key of `object` that the word means: by name, or by its value where that is quoted.
const json::key_value_pair* meant_by(const Word& word, const json::object& object) {
  if (const auto found = object.find(word.text); found != object.end()) return &*found;
  if (!word.quoted) return nullptr;
  for (const json::key_value_pair& entry : object) {
    const json::string* const value = entry.value().if_string();
    if (value != nullptr && std::string_view(*value) == word.text) return &entry;
  }
  return nullptr;
}

}  // namespace

Issue locate_issue(const Error& error, const json::object& config) {
  Issue issue{{}, error.message, "invalid", nullptr};
  const json::object* here = &config;
  const json::value* found = nullptr;
  for (const Word& word : words_of(error.message)) {
    const json::key_value_pair* entry = meant_by(word, *here);
    if (entry == nullptr && !issue.loc.empty()) {
      // Sentences about a strategy's parameters leave the word "params" out.
      const json::value* const params = here->if_contains("params");
      if (params != nullptr && params->is_object()) {
        entry = meant_by(word, params->get_object());
        if (entry != nullptr) issue.loc.emplace_back("params");
      }
    }
    if (entry == nullptr) continue;
    issue.loc.emplace_back(entry->key());
    found = &entry->value();
    if (!found->is_object()) break;
    here = &found->get_object();
  }
  if (found != nullptr && !found->is_object()) issue.input = *found;
  return issue;
}

std::vector<Issue> locate_issues(const std::vector<trading::paper::ConfigIssue>& found,
                                 const json::object& config) {
  std::vector<Issue> issues;
  for (const trading::paper::ConfigIssue& each : found) {
    std::string sentence;
    for (const std::string& step : each.loc) sentence += step + ": ";
    sentence += each.msg;
    Issue located = locate_issue(Error{.message = std::move(sentence)}, config);
    const bool better = located.loc.size() > each.loc.size();
    Issue issue{each.loc, each.msg, each.type, each.input};
    if (better) {
      issue.loc = std::move(located.loc);
      issue.input = std::move(located.input);
    }
    issues.push_back(std::move(issue));
  }
  return issues;
}

}  // namespace alphaswarm::api
