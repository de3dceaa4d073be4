#include "alphaswarm/tasks/control_shapes.hpp"

#include <fmt/format.h>
#include <fnmatch.h>
#include <unistd.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <regex>

#include "alphaswarm/base/ids.hpp"
#include "alphaswarm/base/log.hpp"
#include "alphaswarm/tasks/json_fields.hpp"
#include "alphaswarm/tasks/message.hpp"

namespace alphaswarm::tasks::detail {

namespace json = boost::json;

std::string envelope(const json::value& body, json::object headers, std::string_view exchange,
                     std::string_view routing_key) {
  return json::serialize(
      json::value{{"body", encode_base64(json::serialize(body))},
                  {"content-encoding", "utf-8"},
                  {"content-type", "application/json"},
                  {"headers", std::move(headers)},
                  {"properties",
                   {{"delivery_mode", 1},
                    {"delivery_info", {{"exchange", exchange}, {"routing_key", routing_key}}},
                    {"priority", 0},
                    {"body_encoding", "base64"},
                    {"delivery_tag", random_uuid()}}}});
}

std::string control_channel(int database) { return fmt::format("/{}.celery.pidbox", database); }

std::string revoke_request(std::string_view task_id) {
  const json::value body{
      {"method", "revoke"},
      {"arguments", {{"task_id", task_id}, {"terminate", false}, {"signal", "SIGTERM"}}},
      {"destination", nullptr},
      {"pattern", nullptr},
      {"matcher", nullptr}};
  return envelope(body, {{"clock", 1}, {"expires", 0}}, "celery.pidbox", "");
}

std::vector<std::string> names_in(const json::value* value) {
  std::vector<std::string> names;
  if (value == nullptr) return names;
  if (value->is_string()) names.emplace_back(value->get_string());
  if (const json::array* list = value->if_array()) {
    for (const json::value& each : *list) {
      if (each.is_string()) names.emplace_back(each.get_string());
    }
  }
  return names;
}

std::optional<json::value> body_of(const json::value& message) {
  std::string text = text_at(message, "body");
  const json::value* properties = at(message, "properties");
  if (properties != nullptr && text_at(*properties, "body_encoding") == "base64") {
    auto bytes = decode_base64(text);
    if (!bytes) return std::nullopt;
    text = std::move(*bytes);
  }
  boost::system::error_code error;
  json::value body = json::parse(text, error);
  if (error) return std::nullopt;
  return body;
}

json::object queue_entry(const std::string& name) {
  return {{"name", name},
          {"exchange",
           {{"name", name},
            {"type", "direct"},
            {"arguments", nullptr},
            {"durable", true},
            {"passive", false},
            {"auto_delete", false},
            {"delivery_mode", nullptr},
            {"no_declare", false}}},
          {"routing_key", name},
          {"queue_arguments", nullptr},
          {"binding_arguments", nullptr},
          {"consumer_arguments", nullptr},
          {"durable", true},
          {"exclusive", false},
          {"auto_delete", false},
          {"no_ack", false},
          {"alias", nullptr},
          {"bindings", json::array()},
          {"no_declare", nullptr},
          {"expires", nullptr},
          {"message_ttl", nullptr},
          {"max_length", nullptr},
          {"max_length_bytes", nullptr},
          {"max_priority", nullptr}};
}

json::object task_entry(const TaskInfo& task, const std::string& hostname) {
  return {{"id", task.id},
          {"name", task.name},
          {"args", task.args},
          {"kwargs", task.kwargs},
          {"type", task.name},
          {"hostname", hostname},
          {"time_start", task.phase == TaskPhase::active
                             ? json::value(static_cast<double>(task.since.value) / 1e9)
                             : json::value(nullptr)},
          {"acknowledged", false},
          {"delivery_info",
           {{"exchange", ""},
            {"routing_key", task.queue},
            {"priority", task.priority},
            {"redelivered", task.redelivered}}},
          {"worker_pid",
           task.phase == TaskPhase::active ? json::value(::getpid()) : json::value(nullptr)}};
}

bool matches(const std::string& hostname, const std::string& pattern, std::string_view matcher) {
  constexpr std::size_t kLongestPattern = 1'000;
  if (pattern.size() > kLongestPattern) return false;
  if (matcher == "glob") {
    return ::fnmatch(pattern.c_str(), hostname.c_str(), FNM_NOESCAPE) == 0;
  }
  if (matcher != "pcre") return false;
  try {
    // Not the one that backtracks: a request must not be able to stop the worker.
    const std::regex expression(pattern,
                                std::regex::ECMAScript | std::regex_constants::__polynomial);
    return std::regex_search(hostname, expression, std::regex_constants::match_continuous);
  } catch (const std::regex_error& error) {
    log_warning("worker",
                fmt::format("a control request's pattern cannot be read: {}", error.what()));
    return false;
  }
}

std::string_view name_of(TaskPhase phase) {
  return phase == TaskPhase::active ? "active" : "reserved";
}

}  // namespace alphaswarm::tasks::detail
