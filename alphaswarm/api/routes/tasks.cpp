#include "alphaswarm/api/routes/tasks.hpp"

#include <string>
#include <utility>

#include "alphaswarm/tasks/foreign_results.hpp"

namespace alphaswarm::api {
namespace {

void write(JsonWriter& json, const persistence::TaskRow& row) {
  json.begin_object()
      .field("task_id", row.id)
      .field("name", row.name)
      .field("queue", row.queue)
      .field("status", row.status);
  json.key("result").raw(row.result_json.empty() ? "null" : row.result_json);
  json.field_or_null("error", row.error)
      .field_or_null("traceback", row.traceback)
      .field("retries", row.retries)
      .field_or_null("worker", row.worker)
      .field_or_null("trace_id", row.trace_id)
      .field_or_null("created_at", row.created_at)
      .field("started_at", row.started_at)
      .field("finished_at", row.finished_at)
      .end_object();
}

net::task<net::HttpResponse> show(const ApiDependencies& service, const net::HttpRequest& request) {
  const std::string_view id = path_param(request, "task_id");
  const auto row = co_await service.results.look(std::string(id));
  if (!row) co_return error_reply(row.error());
  if (!row->has_value()) co_return unknown_reply("task", id);
  JsonWriter json;
  write(json, **row);
  co_return reply(std::move(json));
}

}  // namespace

void add_task_routes(RouteTable& table, const Context& context) {
  table.add({.method = "GET",
             .path = "/tasks/{task_id}",
             .tag = "tasks",
             .summary = "One task: its state, and its result or error",
             .response = "Task",
             .errors = {404}},
            handler(context, show));
}

}  // namespace alphaswarm::api
