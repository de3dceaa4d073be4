#pragma once

// Progress of tasks for whoever watches: frames of JSON on a channel of each task.

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "alphaswarm/net/task.hpp"
#include "alphaswarm/persistence/database.hpp"
#include "alphaswarm/tasks/bus.hpp"

namespace alphaswarm::tasks {

[[nodiscard]] std::string task_channel(std::string_view task_id);  // alphaswarm:task:<id>
[[nodiscard]] std::string live_channel(std::string_view channel);  // alphaswarm:live:<channel>
[[nodiscard]] std::string stop_channel(std::string_view task_id);  // alphaswarm:paper:<task>:stop
[[nodiscard]] bool is_terminal_frame(const boost::json::object& frame);  // stage done or error

// The frames of one task, up to and including its terminal one. Its span `ws.asubscribe` is open
// as long as this object lives, in a trace of its own with a link to the task's.
class ProgressStream {
 public:
  ProgressStream(ProgressStream&&) noexcept;
  ProgressStream& operator=(ProgressStream&&) noexcept;
  ~ProgressStream();

  // The next frame as JSON text; nullopt after the terminal one, or when this task is asked to
  // stop. A client that comes late gets the terminal frame alone. After an outage of the bus frames
  // may be missing, but never the terminal one.
  [[nodiscard]] net::task<std::optional<std::string>> next();

 private:
  friend class ProgressBus;
  struct State;
  explicit ProgressStream(std::unique_ptr<State> state) noexcept;
  std::unique_ptr<State> state_;
};

// A frame: {"task_id","stage","message","timestamp":<epoch seconds>,"tags":{},…extras,
// "traceparent"}. Thread-safe. Publishing never fails its caller: what goes wrong stands on the
// span `ws.publish` and in alphaswarm_progress_publish_failures_total.
class ProgressBus {
 public:
  // `database` may be null: then terminal frames are kept on the bus for a day.
  ProgressBus(std::shared_ptr<Bus> bus, std::shared_ptr<persistence::Database> database);
  ~ProgressBus();
  ProgressBus(const ProgressBus&) = delete;
  ProgressBus& operator=(const ProgressBus&) = delete;

  // `stage` MUST NOT be "done" or "error". After the task's terminal frame nothing is sent.
  net::task<void> emit(std::string task_id, std::string stage, std::string message,
                       boost::json::object extras = {});
  // The terminal frame, kept for late clients. The first of these calls for a task wins, later
  // ones do nothing. A Worker makes them by itself when the task's function returns: call them
  // only for work that no worker runs.
  net::task<void> emit_done(std::string task_id, boost::json::value result);
  net::task<void> emit_error(std::string task_id, std::string error);
  // A payload on alphaswarm:live:<channel>; no terminal frames, nothing is kept.
  net::task<void> publish_live(std::string channel, boost::json::object payload);

  net::task<Result<ProgressStream>> subscribe(std::string task_id);
  net::task<Result<Subscription>> subscribe_live(std::string channel);

 private:
  friend class ProgressStream;
  struct State;
  net::task<void> emit_terminal(std::string task_id, std::string stage, std::string message,
                                boost::json::object extras);
  std::shared_ptr<State> state_;  // shared with the streams, which may live longer
};

}  // namespace alphaswarm::tasks
