#pragma once

// Rows of table tasks and the messages they stand for: what is sent again comes from its row.

#include <string>

#include "alphaswarm/base/error.hpp"
#include "alphaswarm/persistence/task_repository.hpp"
#include "alphaswarm/tasks/message.hpp"

namespace alphaswarm::tasks {

// PENDING, made now, in the current trace.
[[nodiscard]] persistence::TaskRow row_of(const TaskMessage& message);
// Of `options_json`: what the message says beside its arguments; empty if that is nothing.
[[nodiscard]] std::string options_of(const TaskMessage& message);
// Marked as redelivered, in a trace of its own; data_loss if the stored arguments cannot be read.
[[nodiscard]] Result<TaskMessage> message_of(const persistence::TaskRow& row);

}  // namespace alphaswarm::tasks
