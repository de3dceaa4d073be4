#pragma once

// Celery's canvas: what a message says is to follow its task. `chain` (reversed: the last is next)
// and `callbacks` (link) after success, `errbacks` (link_error) after failure. Each is a signature
// {task, args, kwargs, options, immutable, …}; chains and groups within them are taken apart as
// Celery does. Chords are refused: what counts their parts is not kept here.

#include <boost/json/value.hpp>
#include <string>
#include <vector>

#include "alphaswarm/base/error.hpp"
#include "alphaswarm/tasks/message.hpp"

namespace alphaswarm::tasks {

// To be asked before the task is run: `unimplemented`, or invalid_argument for what cannot be read.
[[nodiscard]] Result<void> check_canvas(const TaskMessage& message);

// The messages to send when the task has succeeded, with the result as their first argument unless
// they are immutable. Those without a queue of their own go to "default". Those without an id have
// one that depends on the task before them and their place alone: asked again, it is the same.
[[nodiscard]] Result<std::vector<TaskMessage>> after_success(const TaskMessage& message,
                                                             const boost::json::value& result);
// When it has failed; the first argument is then the id of the task that failed.
[[nodiscard]] Result<std::vector<TaskMessage>> after_failure(const TaskMessage& message);
// Of the tasks of the chain that will never be run: they fail as this one did.
[[nodiscard]] std::vector<std::string> abandoned_by_failure(const TaskMessage& message);

}  // namespace alphaswarm::tasks
