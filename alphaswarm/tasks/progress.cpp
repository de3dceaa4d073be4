#include "alphaswarm/tasks/progress.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <deque>
#include <mutex>
#include <unordered_set>

#include "alphaswarm/base/counters.hpp"
#include "alphaswarm/base/log.hpp"
#include "alphaswarm/base/time.hpp"
#include "alphaswarm/net/runtime.hpp"
#include "alphaswarm/persistence/task_repository.hpp"
#include "alphaswarm/tasks/json_fields.hpp"
#include "alphaswarm/tasks/listen.hpp"
#include "alphaswarm/tasks/task_result.hpp"
#include "alphaswarm/tasks/tracing.hpp"

namespace alphaswarm::tasks {
namespace {

namespace json = boost::json;
using detail::text_at;

constexpr std::string_view kDone = "done";
constexpr std::string_view kError = "error";
constexpr std::size_t kRememberedTasks = 10'000;  // whose end this process has announced

bool is_terminal_stage(std::string_view stage) { return stage == kDone || stage == kError; }

std::string_view kind_of(std::string_view stage) {
  return is_terminal_stage(stage) ? stage : std::string_view("progress");
}

Counter& publish_failures() {
  static Counter& instance = counter("alphaswarm_progress_publish_failures_total", "",
                                     "Progress frames that could not be published or kept.");
  return instance;
}

std::string terminal_key(std::string_view task_id) { return task_channel(task_id) + ":terminal"; }

json::object make_frame(const std::string& task_id, const std::string& stage,
                        const std::string& message, json::object extras) {
  json::object frame;
  frame["task_id"] = task_id;
  frame["stage"] = stage;
  frame["message"] = message;
  frame["timestamp"] = now_unix().seconds();
  frame["tags"] = json::object();
  for (auto& [key, value] : extras) {
    // What the frame says by itself is not for the extras to change; tags are.
    if (!frame.contains(key) || key == "tags") frame[key] = std::move(value);
  }
  frame["traceparent"] = tracing::current_traceparent();
  return frame;
}

}  // namespace

std::string task_channel(std::string_view task_id) {
  return "alphaswarm:task:" + std::string(task_id);
}
std::string live_channel(std::string_view channel) {
  return "alphaswarm:live:" + std::string(channel);
}
std::string stop_channel(std::string_view task_id) {
  return "alphaswarm:paper:" + std::string(task_id) + ":stop";
}
bool is_terminal_frame(const json::object& frame) {
  return is_terminal_stage(text_at(frame, "stage"));
}

// Knows which tasks have had their terminal frame: for a while by itself, for good by the stored
// one.
struct ProgressBus::State {
  std::shared_ptr<Bus> bus;
  std::shared_ptr<persistence::Database> database;
  std::mutex mutex;  // guards what follows
  std::unordered_set<std::string> ended;
  std::deque<std::string> ended_order;

  [[nodiscard]] bool has_ended(const std::string& task_id) {
    const std::scoped_lock lock(mutex);
    return ended.contains(task_id);
  }

  // False if it already was.
  bool mark_ended(const std::string& task_id) {
    const std::scoped_lock lock(mutex);
    if (!ended.insert(task_id).second) return false;
    ended_order.push_back(task_id);
    if (ended_order.size() > kRememberedTasks) {
      ended.erase(ended_order.front());
      ended_order.pop_front();
    }
    return true;
  }

  // False if another frame was first. On failure the frame is still to be published.
  net::task<Result<bool>> keep(std::string task_id, std::string frame) {
    if (database != nullptr) {
      auto kept = co_await net::blocking([&] {
        return persistence::TaskRepository(*database).store_terminal_frame(task_id, frame);
      });
      if (kept || kept.error().code != ErrorCode::not_found) co_return kept;
    }
    // Not a task of the table: on the bus, for as long as its result would be.
    const auto before = co_await bus->get(terminal_key(task_id));
    if (!before) co_return std::unexpected(before.error());
    if (*before) co_return false;
    const auto done = co_await bus->set(terminal_key(task_id), std::move(frame), kResultTimeToLive);
    if (!done) co_return std::unexpected(done.error());
    co_return true;
  }

  net::task<Result<std::optional<std::string>>> kept_frame(std::string task_id) {
    if (database != nullptr) {
      const auto row = co_await net::blocking(
          [&] { return persistence::TaskRepository(*database).find(task_id); });
      if (!row) co_return std::unexpected(row.error());
      if (*row && !(*row)->terminal_frame_json.empty()) co_return (*row)->terminal_frame_json;
    }
    co_return co_await bus->get(terminal_key(task_id));
  }
};

ProgressBus::ProgressBus(std::shared_ptr<Bus> bus, std::shared_ptr<persistence::Database> database)
    : state_(std::make_shared<State>()) {
  state_->bus = std::move(bus);
  state_->database = std::move(database);
}
ProgressBus::~ProgressBus() = default;

namespace {

// On the span and in the counter, and nowhere else: the task goes on.
void note_failure(observability::Span& span, const Error& error) {
  publish_failures().add();
  span.record_exception(exception_type_of(error.code), error.message);
}

}  // namespace

net::task<void> ProgressBus::emit(std::string task_id, std::string stage, std::string message,
                                  json::object extras) {
  if (is_terminal_stage(stage)) {
    log_error("tasks", "a progress frame of stage '" + stage + "' was not sent: only emit_done " +
                           "and emit_error end a task");
    publish_failures().add();
    co_return;
  }
  if (state_->has_ended(task_id)) co_return;
  auto span = tracing::start_publish(tracing::Namespace::task, task_id, kind_of(stage));
  std::string frame = json::serialize(make_frame(task_id, stage, message, std::move(extras)));
  const auto published = co_await state_->bus->publish(task_channel(task_id), std::move(frame));
  if (!published) note_failure(span, published.error());
}

net::task<void> ProgressBus::emit_done(std::string task_id, json::value result) {
  json::object extras;
  extras["result"] = std::move(result);
  return emit_terminal(std::move(task_id), std::string(kDone), "done", std::move(extras));
}

net::task<void> ProgressBus::emit_error(std::string task_id, std::string error) {
  json::object extras;
  extras["error"] = error;
  return emit_terminal(std::move(task_id), std::string(kError), std::move(error),
                       std::move(extras));
}

net::task<void> ProgressBus::emit_terminal(std::string task_id, std::string stage,
                                           std::string message, json::object extras) {
  if (!state_->mark_ended(task_id)) co_return;
  auto span = tracing::start_publish(tracing::Namespace::task, task_id, kind_of(stage));
  std::string frame = json::serialize(make_frame(task_id, stage, message, std::move(extras)));
  // Kept before it is published: who subscribes in between finds it.
  const auto kept = co_await state_->keep(task_id, frame);
  if (!kept) note_failure(span, kept.error());
  if (kept && !*kept) co_return;
  const auto published = co_await state_->bus->publish(task_channel(task_id), std::move(frame));
  if (!published) note_failure(span, published.error());
}

net::task<void> ProgressBus::publish_live(std::string channel, json::object payload) {
  auto span = tracing::start_publish(tracing::Namespace::live, channel, "live");
  payload["traceparent"] = tracing::current_traceparent();
  const auto published =
      co_await state_->bus->publish(live_channel(channel), json::serialize(payload));
  if (!published) note_failure(span, published.error());
}

struct ProgressStream::State {
  // The next frame; sets `kept` if it is the terminal one, found where it is kept.
  net::task<std::optional<std::string>> next_frame(bool& was_kept) {
    for (;;) {
      const std::uint64_t gaps_before = gaps;
      std::string payload;
      const Heard heard = co_await listen(subscription, gaps, payload);
      if (heard == Heard::end) co_return std::nullopt;
      if (heard == Heard::payload) co_return payload;
      // The terminal frame may have been lost in the gap.
      auto stored = co_await bus->kept_frame(task_id);
      if (!stored) gaps = gaps_before;  // to be asked again
      if (!stored || !*stored) continue;
      was_kept = true;
      co_return std::move(*stored);
    }
  }

  Subscription subscription;
  std::optional<std::string> kept;  // the terminal frame of a task that had ended before
  observability::Span span;
  std::shared_ptr<ProgressBus::State> bus;
  std::string task_id;
  std::uint64_t gaps = 0;  // of the subscription, known so far
  bool first = true;
  bool ended = false;
};

ProgressStream::ProgressStream(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
ProgressStream::ProgressStream(ProgressStream&&) noexcept = default;
ProgressStream& ProgressStream::operator=(ProgressStream&&) noexcept = default;
ProgressStream::~ProgressStream() = default;

net::task<std::optional<std::string>> ProgressStream::next() {
  if (state_->ended) co_return std::nullopt;
  bool kept = state_->kept.has_value();
  std::optional<std::string> text = std::move(state_->kept);
  if (!kept) text = co_await state_->next_frame(kept);
  if (!text) co_return std::nullopt;
  boost::system::error_code error;
  const json::value parsed = json::parse(*text, error);
  const json::object empty;
  const json::object& frame = error || !parsed.is_object() ? empty : parsed.get_object();
  if (std::exchange(state_->first, false)) {
    tracing::first_message(state_->span, text_at(frame, "traceparent"),
                           kind_of(text_at(frame, "stage")));
  }
  state_->ended = kept || is_terminal_frame(frame);
  co_return text;
}

net::task<Result<ProgressStream>> ProgressBus::subscribe(std::string task_id) {
  auto span = tracing::start_subscription(tracing::Namespace::task, task_id);
  // Subscribed before looking for the kept frame, so that none falls in between.
  auto subscription = co_await state_->bus->subscribe(task_channel(task_id));
  if (!subscription) {
    span.error(subscription.error().message);
    co_return std::unexpected(subscription.error());
  }
  auto kept = co_await state_->kept_frame(task_id);
  if (!kept) {
    span.error(kept.error().message);
    co_return std::unexpected(kept.error());
  }
  const std::uint64_t gaps = subscription->gaps();
  auto state = std::make_unique<ProgressStream::State>(
      ProgressStream::State{std::move(*subscription), std::move(*kept), std::move(span), state_,
                            std::move(task_id), gaps, true, false});
  co_return ProgressStream(std::move(state));
}

net::task<Result<Subscription>> ProgressBus::subscribe_live(std::string channel) {
  return state_->bus->subscribe(live_channel(channel));
}

}  // namespace alphaswarm::tasks
