#include "alphaswarm/tasks/task_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <optional>
#include <string_view>

#include "alphaswarm/tasks/task_result.hpp"
#include "alphaswarm/tasks/tracing.hpp"

namespace alphaswarm::tasks {

namespace json = boost::json;

namespace {

void put(json::object& options, std::string_view name, const std::string& text) {
  if (!text.empty()) options[name] = text;
}
void put(json::object& options, std::string_view name, const std::optional<UnixNanos>& time) {
  if (time) options[name] = to_python_time(*time);
}
template <class T>
void put(json::object& options, std::string_view name, const std::optional<T>& number) {
  if (number) options[name] = *number;
}

void read(const json::value& value, std::string& text) {
  if (value.is_string()) text = value.get_string();
}
void read(const json::value& value, std::optional<UnixNanos>& time) {
  if (!value.is_string()) return;
  if (const auto read = from_python_time(std::string(value.get_string()))) time = *read;
}
void read(const json::value& value, std::optional<double>& number) {
  if (value.is_number()) number = value.to_number<double>();
}
void read(const json::value& value, std::optional<std::int64_t>& number) {
  if (value.is_int64()) number = value.get_int64();
}

// Each with its name: to write them and to read them.
template <class Message, class Visit>
void each_option(Message& message, Visit&& visit) {
  visit("eta", message.eta);
  visit("expires", message.expires);
  visit("time_limit", message.time_limit_seconds);
  visit("soft_time_limit", message.soft_time_limit_seconds);
  visit("root_id", message.root_id);
  visit("parent_id", message.parent_id);
  visit("reply_to", message.reply_to);
  visit("group_id", message.group);
  visit("group_index", message.group_index);
}

void read_options(const std::string& text, TaskMessage& message) {
  boost::system::error_code none;
  const json::value parsed = json::parse(text, none);
  if (none || !parsed.is_object()) return;
  const json::object& options = parsed.get_object();
  each_option(message, [&](std::string_view name, auto& option) {
    if (const json::value* value = options.if_contains(name)) read(*value, option);
  });
  if (const json::value* priority = options.if_contains("priority"); priority != nullptr) {
    if (priority->is_int64()) {
      message.priority = static_cast<int>(std::clamp<std::int64_t>(priority->get_int64(), 0, 9));
    }
  }
  if (const json::value* ignore = options.if_contains("ignore_result"); ignore != nullptr) {
    message.ignore_result = ignore->is_bool() ? std::optional(ignore->get_bool()) : std::nullopt;
  }
}

}  // namespace

std::string options_of(const TaskMessage& message) {
  json::object options;
  each_option(message,
              [&](std::string_view name, const auto& option) { put(options, name, option); });
  if (message.priority != 0) options["priority"] = message.priority;
  if (message.ignore_result != std::optional(false)) {
    options["ignore_result"] =
        message.ignore_result ? json::value(*message.ignore_result) : json::value(nullptr);
  }
  return options.empty() ? std::string() : json::serialize(options);
}

persistence::TaskRow row_of(const TaskMessage& message) {
  persistence::TaskRow row;
  row.id = message.id;
  row.name = message.task;
  row.queue = message.queue;
  row.status = kPending;
  row.args_json = json::serialize(message.args);
  row.kwargs_json = json::serialize(message.kwargs);
  if (!message.embed.empty()) row.embed_json = json::serialize(message.embed);
  row.options_json = options_of(message);
  row.trace_id = tracing::current_trace_id();
  row.retries = message.retries;
  row.created_at = now_unix();
  return row;
}

Result<TaskMessage> message_of(const persistence::TaskRow& row) {
  boost::system::error_code bad_args;
  boost::system::error_code bad_kwargs;
  const json::value args = json::parse(row.args_json, bad_args);
  const json::value kwargs = json::parse(row.kwargs_json, bad_kwargs);
  if (bad_args || bad_kwargs || !args.is_array() || !kwargs.is_object()) {
    return fail(ErrorCode::data_loss,
                fmt::format("the stored arguments of task '{}' cannot be read", row.id));
  }
  TaskMessage message;
  message.id = row.id;
  message.task = row.name;
  message.queue = row.queue;
  message.args = args.get_array();
  message.kwargs = kwargs.get_object();
  boost::system::error_code no_embed;  // of a task that nothing follows
  const json::value embed = json::parse(row.embed_json, no_embed);
  if (!no_embed && embed.is_object()) message.embed = embed.get_object();
  read_options(row.options_json, message);
  message.retries = row.retries;
  message.redelivered = true;
  return message;
}

}  // namespace alphaswarm::tasks
