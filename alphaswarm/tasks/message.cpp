#include "alphaswarm/tasks/message.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "alphaswarm/base/ids.hpp"
#include "alphaswarm/observability/api/propagators.hpp"
#include "alphaswarm/tasks/host.hpp"
#include "alphaswarm/tasks/json_fields.hpp"

namespace alphaswarm::tasks {
namespace {

namespace json = boost::json;
using detail::text_at;

constexpr std::size_t kMaxRepr = 1024;  // argsrepr is for people; Celery cuts it at this size too
constexpr std::int64_t kNanosPerMilli = 1'000'000;

std::unexpected<Error> bad(std::string_view why) {
  return fail(ErrorCode::invalid_argument, fmt::format("malformed task message: {}", why));
}

json::value text_or_null(const std::string& text) {
  return text.empty() ? json::value(nullptr) : json::value(text);
}

json::value time_or_null(const std::optional<UnixNanos>& time) {
  return time ? json::value(to_python_time(*time)) : json::value(nullptr);
}

template <class T>
json::value value_or_null(const std::optional<T>& number) {
  return number ? json::value(*number) : json::value(nullptr);
}

std::string short_text(const json::value& value) {
  std::string text = json::serialize(value);
  if (text.size() > kMaxRepr) {
    std::size_t cut = kMaxRepr;
    while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xc0U) == 0x80U) --cut;
    text.resize(cut);
    text += "...";
  }
  return text;
}

json::object headers_of(const TaskMessage& message) {
  json::object headers;
  headers["lang"] = "py";  // the convention of the arguments, which is Python's
  headers["task"] = message.task;
  headers["id"] = message.id;
  headers["shadow"] = nullptr;
  headers["eta"] = time_or_null(message.eta);
  headers["expires"] = time_or_null(message.expires);
  headers["group"] = text_or_null(message.group);
  headers["group_index"] = value_or_null(message.group_index);
  headers["retries"] = message.retries;
  headers["timelimit"] = json::array{value_or_null(message.time_limit_seconds),
                                     value_or_null(message.soft_time_limit_seconds)};
  headers["root_id"] = message.root_id.empty() ? message.id : message.root_id;
  headers["parent_id"] = text_or_null(message.parent_id);
  headers["argsrepr"] = short_text(message.args);
  headers["kwargsrepr"] = short_text(message.kwargs);
  headers["origin"] =
      message.origin.empty() ? fmt::format("gen{}@{}", ::getpid(), host_name()) : message.origin;
  headers["ignore_result"] =
      message.ignore_result ? json::value(*message.ignore_result) : json::value(nullptr);
  headers["replaced_task_nesting"] = 0;
  headers["stamped_headers"] = nullptr;
  headers["stamps"] = json::object();
  if (message.redelivered) headers["redelivered"] = true;
  for (const auto& [name, value] : message.context) headers[name] = value;
  return headers;
}

json::object properties_of(const TaskMessage& message) {
  json::object delivery_info{{"exchange", ""}, {"routing_key", message.queue}};
  if (message.redelivered) delivery_info["redelivered"] = true;
  json::object properties;
  properties["correlation_id"] = message.id;
  properties["reply_to"] = message.reply_to.empty() ? random_uuid() : message.reply_to;
  properties["delivery_mode"] = 2;
  properties["delivery_info"] = std::move(delivery_info);
  properties["priority"] = message.priority;
  properties["body_encoding"] = "base64";
  properties["delivery_tag"] = random_uuid();
  if (message.expires) {
    const std::int64_t left = (message.expires->value - now_unix().value) / kNanosPerMilli;
    properties["expiration"] = std::to_string(std::max<std::int64_t>(0, left));
  }
  return properties;
}

const json::object* find_object(const json::object& parent, std::string_view name) {
  const json::value* value = parent.if_contains(name);
  return value == nullptr ? nullptr : value->if_object();
}

std::int64_t integer_of(const json::object& parent, std::string_view name) {
  const json::value* value = parent.if_contains(name);
  const std::int64_t* number = value == nullptr ? nullptr : value->if_int64();
  return number == nullptr ? 0 : *number;
}

bool flag_of(const json::object& parent, std::string_view name) {
  const json::value* value = parent.if_contains(name);
  const bool* flag = value == nullptr ? nullptr : value->if_bool();
  return flag != nullptr && *flag;
}

std::optional<double> seconds_at(const json::array& limits, std::size_t place) {
  if (place >= limits.size() || !limits[place].is_number()) return std::nullopt;
  const double seconds = limits[place].to_number<double>();
  return seconds > 0 ? std::optional<double>(seconds) : std::nullopt;
}

Result<std::optional<UnixNanos>> time_of(const json::object& parent, std::string_view name) {
  std::string text = text_at(parent, name);
  if (text.empty()) return std::nullopt;
  const auto time = from_python_time(std::move(text));
  if (!time) return bad(fmt::format("header {}: {}", name, time.error().message));
  return *time;
}

Result<void> decode_headers(const json::object& headers, TaskMessage& message) {
  message.task = text_at(headers, "task");
  message.id = text_at(headers, "id");
  if (message.task.empty()) return bad("header task is missing");
  if (message.id.empty()) return bad("header id is missing");
  message.retries = integer_of(headers, "retries");
  message.root_id = text_at(headers, "root_id");
  message.parent_id = text_at(headers, "parent_id");
  message.origin = text_at(headers, "origin");
  for (const std::string_view name : observability::kPropagationHeaders) {
    if (std::string value = text_at(headers, name); !value.empty()) {
      message.context.emplace(name, std::move(value));
    }
  }
  message.redelivered = flag_of(headers, "redelivered");
  const json::value* ignore = headers.if_contains("ignore_result");
  message.ignore_result = ignore != nullptr && ignore->is_bool()
                              ? std::optional<bool>(ignore->get_bool())
                              : std::nullopt;
  message.group = text_at(headers, "group");
  const json::value* place = headers.if_contains("group_index");
  if (place != nullptr && place->is_int64()) message.group_index = place->get_int64();
  const json::value* limits = headers.if_contains("timelimit");
  if (limits != nullptr && limits->is_array()) {
    message.time_limit_seconds = seconds_at(limits->get_array(), 0);
    message.soft_time_limit_seconds = seconds_at(limits->get_array(), 1);
  }
  const auto eta = time_of(headers, "eta");
  if (!eta) return std::unexpected(eta.error());
  message.eta = *eta;
  const auto expires = time_of(headers, "expires");
  if (!expires) return std::unexpected(expires.error());
  message.expires = *expires;
  return {};
}

void decode_properties(const json::object& properties, TaskMessage& message) {
  message.reply_to = text_at(properties, "reply_to");
  message.priority =
      static_cast<int>(std::clamp<std::int64_t>(integer_of(properties, "priority"), 0, 9));
  if (const json::object* info = find_object(properties, "delivery_info")) {
    message.queue = text_at(*info, "routing_key");
    message.redelivered = message.redelivered || flag_of(*info, "redelivered");
  }
}

Result<void> decode_body(const json::object& envelope, bool is_base64, TaskMessage& message) {
  const json::value* body = envelope.if_contains("body");
  if (body == nullptr || !body->is_string()) return bad("it has no body");
  std::string text(body->get_string());
  if (is_base64) {
    std::optional<std::string> bytes = decode_base64(text);
    if (!bytes) return bad("its body is not base64");
    text = std::move(*bytes);
  }
  boost::system::error_code error;
  const json::value parsed = json::parse(text, error);
  if (error) return bad(fmt::format("its body is not JSON: {}", error.message()));
  const json::array* parts = parsed.if_array();
  if (parts == nullptr || parts->size() < 2 || !(*parts)[0].is_array() ||
      !(*parts)[1].is_object()) {
    return bad("its body is not [args, kwargs, embed]");
  }
  message.args = (*parts)[0].get_array();
  message.kwargs = (*parts)[1].get_object();
  if (parts->size() > 2 && (*parts)[2].is_object()) message.embed = (*parts)[2].get_object();
  return {};
}

}  // namespace

std::string to_python_time(UnixNanos time) {
  std::string text = to_rfc3339(time);  // …T14:03:11.284112903Z
  text.resize(text.size() - 4);
  return text + "+00:00";
}

// Celery writes times with an offset, older versions without one and then in UTC.
Result<UnixNanos> from_python_time(std::string text) {
  const std::size_t clock = text.find_first_of("T ");
  if (clock != std::string::npos && text.find_first_of("Zz+-", clock) == std::string::npos) {
    text += 'Z';
  }
  return from_rfc3339(text);
}

std::string encode_message(const TaskMessage& message) {
  json::array body;
  body.emplace_back(message.args);
  body.emplace_back(message.kwargs);
  json::object embed = message.embed;
  for (const char* name : {"callbacks", "errbacks", "chain", "chord"}) embed.emplace(name, nullptr);
  body.emplace_back(std::move(embed));
  json::object envelope;
  envelope["body"] = encode_base64(json::serialize(body));
  envelope["content-encoding"] = "utf-8";
  envelope["content-type"] = "application/json";
  envelope["headers"] = headers_of(message);
  envelope["properties"] = properties_of(message);
  return json::serialize(envelope);
}

Result<TaskMessage> decode_message(std::string_view text) {
  boost::system::error_code error;
  const json::value parsed = json::parse(text, error);
  if (error) return bad(fmt::format("it is not JSON: {}", error.message()));
  const json::object* envelope = parsed.if_object();
  if (envelope == nullptr) return bad("it is not an object");
  const json::object* headers = find_object(*envelope, "headers");
  if (headers == nullptr) return bad("it has no headers");
  const std::string type = text_at(*envelope, "content-type");
  if (!type.empty() && type != "application/json") {
    return bad(fmt::format("content type {} is not supported, only application/json", type));
  }
  TaskMessage message;
  if (auto done = decode_headers(*headers, message); !done) return std::unexpected(done.error());
  bool is_base64 = false;
  if (const json::object* properties = find_object(*envelope, "properties")) {
    decode_properties(*properties, message);
    is_base64 = text_at(*properties, "body_encoding") == "base64";
  }
  if (auto done = decode_body(*envelope, is_base64, message); !done) {
    return std::unexpected(done.error());
  }
  return message;
}

std::string mark_redelivered(std::string_view text) {
  boost::system::error_code error;
  json::value parsed = json::parse(text, error);
  json::object* envelope = error ? nullptr : parsed.if_object();
  if (envelope == nullptr) return std::string(text);
  const auto child = [](json::object& parent, std::string_view name) -> json::object* {
    json::value* value = parent.if_contains(name);
    return value == nullptr ? nullptr : value->if_object();
  };
  if (json::object* headers = child(*envelope, "headers")) (*headers)["redelivered"] = true;
  if (json::object* properties = child(*envelope, "properties")) {
    if (json::object* info = child(*properties, "delivery_info")) (*info)["redelivered"] = true;
  }
  return json::serialize(parsed);
}

}  // namespace alphaswarm::tasks
