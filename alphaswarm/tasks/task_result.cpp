#include "alphaswarm/tasks/task_result.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "alphaswarm/tasks/json_fields.hpp"
#include "alphaswarm/tasks/message.hpp"

namespace alphaswarm::tasks {
namespace {

namespace json = boost::json;
using detail::text_at;

bool is_exception(std::string_view status) {
  return status == kFailure || status == kRetry || status == kRevoked;
}

void read_exception(const json::value& value, TaskResult& result) {
  const json::object* object = value.if_object();
  if (object == nullptr) return;
  result.exception_type = text_at(*object, "exc_type");
  result.exception_module = text_at(*object, "exc_module");
  const json::value* message = object->if_contains("exc_message");
  if (message == nullptr) return;
  if (const json::array* parts = message->if_array()) {
    for (const json::value& part : *parts) {
      if (!result.error.empty()) result.error += ", ";
      result.error += part.is_string() ? std::string(part.get_string()) : json::serialize(part);
    }
  } else if (message->is_string()) {
    result.error = std::string(message->get_string());
  }
}

}  // namespace

bool is_terminal(std::string_view status) noexcept {
  return status == kSuccess || status == kFailure || status == kRevoked;
}

std::string result_key(std::string_view task_id) {
  return "celery-task-meta-" + std::string(task_id);
}

std::string encode_result(const TaskResult& result) {
  json::object object;
  object["status"] = result.status;
  if (is_exception(result.status)) {
    object["result"] = json::object{
        {"exc_type", result.exception_type},
        {"exc_message", json::array{json::value(result.error)}},
        {"exc_module", result.exception_module.empty() ? json::value(nullptr)
                                                       : json::value(result.exception_module)}};
  } else {
    object["result"] = result.result;
  }
  object["traceback"] =
      result.traceback.empty() ? json::value(nullptr) : json::value(result.traceback);
  object["children"] = json::array();
  object["date_done"] =
      result.date_done ? json::value(to_python_time(*result.date_done)) : json::value(nullptr);
  object["task_id"] = result.task_id;
  return json::serialize(object);
}

Result<TaskResult> decode_result(std::string_view text) {
  boost::system::error_code error;
  const json::value parsed = json::parse(text, error);
  const json::object* object = error ? nullptr : parsed.if_object();
  if (object == nullptr) return fail(ErrorCode::data_loss, "a stored task result is not JSON");
  TaskResult result;
  result.task_id = text_at(*object, "task_id");
  result.status = text_at(*object, "status");
  if (const json::value* value = object->if_contains("result")) {
    if (is_exception(result.status)) {
      read_exception(*value, result);
    } else {
      result.result = *value;
    }
  }
  result.traceback = text_at(*object, "traceback");
  std::string when = text_at(*object, "date_done");
  if (!when.empty()) {
    if (const auto time = from_python_time(std::move(when))) result.date_done = *time;
  }
  return result;
}

TaskResult result_of(const persistence::TaskRow& row) {
  TaskResult result;
  result.task_id = row.id;
  result.status = row.status;
  result.error = row.error;
  result.traceback = row.traceback;
  result.date_done = row.finished_at;
  boost::system::error_code ignored;
  if (!row.result_json.empty()) result.result = boost::json::parse(row.result_json, ignored);
  return result;
}

std::string exception_type_of(ErrorCode code) {
  std::string name;
  bool upper = true;
  for (const char c : to_string(code)) {
    if (c == '_') {
      upper = true;
      continue;
    }
    name += upper ? static_cast<char>(c - 'a' + 'A') : c;
    upper = false;
  }
  return name;
}

}  // namespace alphaswarm::tasks
