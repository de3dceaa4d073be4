#include "alphaswarm/api/input.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/parser.hpp>
#include <boost/json/value.hpp>
#include <charconv>
#include <utility>

#include "alphaswarm/api/reply.hpp"

namespace alphaswarm::api {

namespace json = boost::json;

namespace {

Issue body_issue(std::string msg, std::string type, json::value input = nullptr) {
  return Issue{{"body"}, std::move(msg), std::move(type), std::move(input)};
}

// "line 3, column 7" of the byte at `offset`.
std::string place(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const auto line = std::ranges::count(before, '\n') + 1;
  const std::size_t start = before.rfind('\n');
  const std::size_t column = before.size() - (start == before.npos ? 0 : start + 1) + 1;
  return "line " + std::to_string(line) + ", column " + std::to_string(column);
}

// The object, or what is wrong.
std::optional<json::object> parse_object(std::string_view body, std::vector<Issue>& issues) {
  if (body.find_first_not_of(" \t\r\n") == body.npos) {
    issues.push_back(body_issue("a JSON object is required, got an empty body", "missing"));
    return std::nullopt;
  }
  json::parser parser;
  boost::system::error_code error;
  const std::size_t read = parser.write(body.data(), body.size(), error);
  if (error) {
    issues.push_back(body_issue(
        "is not valid JSON: " + error.message() + " at " + place(body, read), "json_invalid"));
    return std::nullopt;
  }
  json::value tree = parser.release();
  if (!tree.is_object()) {
    issues.push_back(body_issue("must be a JSON object", "wrong_type", std::move(tree)));
    return std::nullopt;
  }
  return std::move(tree.get_object());
}

}  // namespace

net::HttpResponse invalid_reply(const std::vector<Issue>& issues) {
  JsonWriter out;
  out.begin_object().key("detail").begin_array();
  for (const Issue& issue : issues) {
    out.begin_object().key("loc").begin_array();
    for (const std::string& step : issue.loc) out.value(step);
    out.end_array().field("msg", issue.msg).field("type", issue.type).key("input");
    // A text of the query may hold any bytes; the writer mends them.
    if (const json::string* text = issue.input.if_string()) {
      out.value(std::string_view(*text));
    } else {
      out.value(issue.input);
    }
    out.end_object();
  }
  out.end_array().end_object();
  return reply(std::move(out), 422);
}

BodyReader::BodyReader(const net::HttpRequest& request) {
  if (std::optional<json::object> object = parse_object(request.body, issues_)) {
    readable_ = true;
    object_ = std::move(*object);
  }
}

const json::value* BodyReader::take(std::string_view key) {
  known_.emplace_back(key);
  const json::value* found = object_.if_contains(key);
  return found == nullptr || found->is_null() ? nullptr : found;
}

bool BodyReader::has(std::string_view key) const {
  const json::value* found = object_.if_contains(key);
  return found != nullptr && !found->is_null();
}

void BodyReader::report(std::string_view key, std::string msg, std::string type) {
  Issue issue{{"body"}, std::move(msg), std::move(type), nullptr};
  if (!key.empty()) issue.loc.emplace_back(key);
  if (const json::value* found = object_.if_contains(key)) issue.input = *found;
  issues_.push_back(std::move(issue));
}

void BodyReader::wrong_type(std::string_view key, std::string_view wanted) {
  report(key, "must be " + std::string(wanted), "wrong_type");
}

void BodyReader::require(std::string_view key) {
  const json::value* found = object_.if_contains(key);
  const json::string* text = found != nullptr ? found->if_string() : nullptr;
  const bool there = has(key) && (text == nullptr || !text->empty());
  if (readable_ && !there) report(key, "is required", "missing");
}

std::string BodyReader::text(std::string_view key, std::string fallback, std::size_t most) {
  const json::value* given = take(key);
  if (given == nullptr) return fallback;
  const json::string* value = given->if_string();
  if (value == nullptr) {
    wrong_type(key, "text");
  } else if (value->size() > most) {
    report(key, "must have at most " + std::to_string(most) + " bytes", "out_of_range");
  } else if (!value->empty()) {
    return std::string(*value);
  }
  return fallback;
}

bool BodyReader::flag(std::string_view key, bool fallback) {
  const json::value* given = take(key);
  if (given == nullptr) return fallback;
  if (given->is_bool()) return given->get_bool();
  wrong_type(key, "true or false");
  return fallback;
}

Decimal BodyReader::positive_decimal(std::string_view key) {
  const json::value* given = take(key);
  if (given == nullptr) return {};
  Decimal value;
  if (given->is_number()) {
    value = Decimal::from_double(given->to_number<double>());
  } else if (const json::string* text = given->if_string()) {
    const Result<Decimal> parsed = Decimal::parse(*text);
    if (!parsed) {
      report(key, parsed.error().message, "invalid");
      return {};
    }
    value = *parsed;
  } else {
    wrong_type(key, "a number");
    return {};
  }
  if (value <= Decimal()) report(key, "must be greater than 0", "out_of_range");
  return value;
}

const json::object& BodyReader::object(std::string_view key) {
  static const json::object empty;
  const json::value* given = take(key);
  if (given == nullptr) return empty;
  if (given->is_object()) return given->get_object();
  wrong_type(key, "an object");
  return empty;
}

std::vector<std::string> BodyReader::texts(std::string_view key) {
  const json::value* given = take(key);
  if (given == nullptr) return {};
  std::vector<std::string> values;
  const json::array* list = given->if_array();
  for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) {
    if (!(*list)[i].is_string()) {
      list = nullptr;
    } else {
      values.emplace_back((*list)[i].get_string());
    }
  }
  if (list != nullptr) return values;
  wrong_type(key, "a list of texts");
  return {};
}

void BodyReader::add_issues(std::string_view key, std::vector<Issue> found) {
  for (Issue& issue : found) {
    issue.loc.insert(issue.loc.begin(), {"body", std::string(key)});
    issues_.push_back(std::move(issue));
  }
}

std::optional<net::HttpResponse> BodyReader::finish() {
  if (!readable_) return invalid_reply({issues_.front()});
  std::string known;
  for (const std::string& key : known_) known += (known.empty() ? "" : ", ") + key;
  for (const json::key_value_pair& entry : object_) {
    if (std::ranges::find(known_, std::string_view(entry.key())) != known_.end()) continue;
    report(entry.key(), "is not a known field; known are " + known, "unknown_key");
  }
  if (issues_.empty()) return std::nullopt;
  return invalid_reply(issues_);
}

std::int64_t QueryReader::count(std::string_view name, std::int64_t fallback, std::int64_t most) {
  const std::optional<std::string> given = request_.query_param(name);
  if (!given) return fallback;
  std::int64_t value = 0;
  const char* const end = given->data() + given->size();
  const auto [stop, error] = std::from_chars(given->data(), end, value);
  if (error != std::errc{} || stop != end) {
    report(name, "must be a whole number", "wrong_type");
    return fallback;
  }
  if (value < 1 || value > most) {
    report(name, "must be 1 to " + std::to_string(most), "out_of_range");
    return fallback;
  }
  return value;
}

std::string QueryReader::text(std::string_view name) const {
  return request_.query_param(name).value_or("");
}

std::optional<UnixNanos> QueryReader::time(std::string_view name) {
  const std::optional<std::string> given = request_.query_param(name);
  if (!given || given->empty()) return std::nullopt;
  const Result<UnixNanos> time = from_rfc3339(*given);
  if (time) return *time;
  report(name, time.error().message, "invalid");
  return std::nullopt;
}

void QueryReader::report(std::string_view name, std::string msg, std::string type) {
  json::value input = nullptr;
  if (const std::optional<std::string> given = request_.query_param(name)) input = *given;
  issues_.push_back(Issue{{"query", std::string(name)}, std::move(msg), std::move(type), input});
}

std::optional<net::HttpResponse> QueryReader::finish() const {
  if (issues_.empty()) return std::nullopt;
  return invalid_reply(issues_);
}

}  // namespace alphaswarm::api
