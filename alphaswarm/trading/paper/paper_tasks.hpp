#pragma once

#include "alphaswarm/tasks/worker.hpp"
#include "alphaswarm/trading/paper/session.hpp"

namespace alphaswarm::trading::paper {

inline constexpr std::string_view kRunPaperTask = "alphaswarm.tasks.paper_tasks.run_paper";

// Registers run_paper(cfg, run_name): `cfg` is the session document, `run_name` may be absent or
// null. The result is to_json(SessionResult). A task that is delivered again resumes its run. At
// its end, orders that it has left open at a live venue are followed (follow_left_orders).
// `services` MUST outlive the worker's runtime.
void register_paper_tasks(tasks::Worker& worker, Services& services);

// What the task does, for a program that runs one session and ends: a document in, a result out.
[[nodiscard]] net::task<Result<SessionResult>> run_document(Services& services,
                                                            boost::json::object document,
                                                            std::string run_name,
                                                            std::string task_id = {});

}  // namespace alphaswarm::trading::paper
