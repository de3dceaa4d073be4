#include "alphaswarm/trading/paper/paper_tasks.hpp"

#include "alphaswarm/base/task_local.hpp"
#include "alphaswarm/trading/paper/left_orders.hpp"

namespace alphaswarm::trading::paper {

namespace json = boost::json;

net::task<Result<SessionResult>> run_document(Services& services, json::object document,
                                              std::string run_name, std::string task_id) {
  auto config = parse_session_config(document);
  if (!config) co_return std::unexpected(to_error(config.error()));
  SessionRequest request;
  request.config = std::move(*config);
  request.run_name = std::move(run_name);
  request.task_id = std::move(task_id);
  if (!request.task_id.empty()) {
    // Delivered again: the run of the first delivery goes on.
    persistence::RunRepository runs(*services.database);
    const auto known = runs.find_by_task(request.task_id);
    if (!known) co_return std::unexpected(known.error());
    if (*known) request.run_id = (*known)->id;
  }
  co_return co_await run_session(services, std::move(request));
}

void register_paper_tasks(tasks::Worker& worker, Services& services) {
  tasks::TaskFunction function =
      [&services](tasks::TaskContext& context) -> net::task<Result<json::value>> {
    const json::value* document = context.argument("cfg", 0);
    if (document == nullptr || !document->is_object()) {
      co_return fail(ErrorCode::invalid_argument, "cfg must be the session's document, an object");
    }
    const json::value* name = context.argument("run_name", 1);
    if (name != nullptr && !name->is_null() && !name->is_string()) {
      co_return fail(ErrorCode::invalid_argument, "run_name must be text");
    }
    std::string run_name =
        name != nullptr && name->is_string() ? std::string(name->get_string()) : std::string();
    json::object copy = document->get_object();
    const Result<SessionResult> result =
        co_await run_document(services, std::move(copy), std::move(run_name), context.id);
    // What it may have left open at its venue does not wait for the next start of a worker.
    net::spawn(*net::Runtime::current(), [&services]() -> net::task<void> {
      current_task_slot() = TaskSlot{};  // no part of the session's trace
      co_await follow_left_orders(services);
    });
    if (!result) co_return std::unexpected(result.error());
    co_return json::value(to_json(*result));
  };
  worker.register_task(std::string(kRunPaperTask), std::move(function));
}

}  // namespace alphaswarm::trading::paper
