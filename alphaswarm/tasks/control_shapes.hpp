#pragma once

// The shapes of Celery's remote control and events: envelopes, entries of replies, patterns.

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alphaswarm/tasks/worker.hpp"

namespace alphaswarm::tasks::detail {

// kombu's, as for a message that is not kept.
[[nodiscard]] std::string envelope(const boost::json::value& body, boost::json::object headers,
                                   std::string_view exchange, std::string_view routing_key);
// What an envelope carries; nullopt if it cannot be read.
[[nodiscard]] std::optional<boost::json::value> body_of(const boost::json::value& message);

// Where workers listen for requests.
[[nodiscard]] std::string control_channel(int database);
// Celery's request to all workers not to begin a task; nobody answers it.
[[nodiscard]] std::string revoke_request(std::string_view task_id);

// A name or a list of names.
[[nodiscard]] std::vector<std::string> names_in(const boost::json::value* value);

[[nodiscard]] boost::json::object queue_entry(const std::string& name);
[[nodiscard]] boost::json::object task_entry(const TaskInfo& task, const std::string& hostname);
[[nodiscard]] std::string_view name_of(TaskPhase phase);

// As kombu's registry of matchers: "glob" is Python's fnmatch, "pcre" its re.match, from the start
// of the name on. Another matcher, or a pattern that cannot be read, matches nobody.
[[nodiscard]] bool matches(const std::string& hostname, const std::string& pattern,
                           std::string_view matcher);

}  // namespace alphaswarm::tasks::detail
