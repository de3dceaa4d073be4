#include "alphaswarm/tasks/task_rows.hpp"

#include <fmt/format.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "alphaswarm/tasks/task_result.hpp"
#include "alphaswarm/tasks/tracing.hpp"

namespace alphaswarm::tasks {

namespace json = boost::json;

persistence::TaskRow row_of(const TaskMessage& message) {
  persistence::TaskRow row;
  row.id = message.id;
  row.name = message.task;
  row.queue = message.queue;
  row.status = kPending;
  row.args_json = json::serialize(message.args);
  row.kwargs_json = json::serialize(message.kwargs);
  if (!message.embed.empty()) row.embed_json = json::serialize(message.embed);
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
  message.retries = row.retries;
  message.redelivered = true;
  return message;
}

}  // namespace alphaswarm::tasks
