#pragma once

// Celery's task message, protocol 2, in kombu's envelope for Redis; sources: Celery's "Message
// Protocol" page and the captured wire of celery 5.2–5.7.

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "alphaswarm/base/error.hpp"
#include "alphaswarm/base/time.hpp"

namespace alphaswarm::tasks {

struct TaskMessage {
  std::string id;  // UUID
  std::string task;
  std::string queue = "default";  // routing key
  boost::json::array args;
  boost::json::object kwargs;
  std::int64_t retries = 0;
  int priority = 0;  // as given; queues round it down to a step
  std::optional<UnixNanos> eta;
  std::optional<UnixNanos> expires;
  std::string root_id;    // empty: the id
  std::string parent_id;  // empty: none
  std::string reply_to;   // empty: a new UUID
  std::string origin;     // "gen<pid>@<host>"; empty: this process
  bool redelivered = false;
  // True: nobody wants its result. nullopt: as the task itself has it (TaskOptions).
  std::optional<bool> ignore_result = false;
  // Trace context and baggage, by header name, as propagators write them. Of a message that was
  // read: those of observability::kPropagationHeaders.
  std::map<std::string, std::string, std::less<>> context{};
  // What is to follow it, as Celery's `embed` has it, unchanged: callbacks, errbacks, chain, chord.
  // See canvas.hpp.
  boost::json::object embed{};
  std::string group{};                              // id of the group it belongs to; empty: none
  std::optional<std::int64_t> group_index{};        // its place there
  std::optional<double> time_limit_seconds{};       // then it is ended
  std::optional<double> soft_time_limit_seconds{};  // then it is asked to end
};

[[nodiscard]] std::string encode_message(const TaskMessage& message);
// Accepts what Celery 5.2–5.7 send, and the least message (headers task and id, body). Headers not
// named above are not kept. invalid_argument says what is wrong.
[[nodiscard]] Result<TaskMessage> decode_message(std::string_view envelope);
// The same envelope with `redelivered` set where kombu sets it; unchanged if it is not JSON.
[[nodiscard]] std::string mark_redelivered(std::string_view envelope);

[[nodiscard]] std::string encode_base64(std::string_view bytes);
[[nodiscard]] std::optional<std::string> decode_base64(std::string_view text);
// "2030-01-02T03:04:05.678900+00:00", as Python's isoformat gives it; six decimals.
[[nodiscard]] std::string to_python_time(UnixNanos time);
// The same read, also without an offset: then it is UTC.
[[nodiscard]] Result<UnixNanos> from_python_time(std::string text);

}  // namespace alphaswarm::tasks
