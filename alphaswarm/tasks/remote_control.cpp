#include "alphaswarm/tasks/remote_control.hpp"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cstdlib>
#include <mutex>

#include "alphaswarm/base/log.hpp"
#include "alphaswarm/tasks/control_shapes.hpp"
#include "alphaswarm/tasks/json_fields.hpp"
#include "alphaswarm/tasks/message.hpp"

namespace alphaswarm::tasks {
namespace {

namespace json = boost::json;
using detail::at;
using detail::body_of;
using detail::envelope;
using detail::matches;
using detail::name_of;
using detail::names_in;
using detail::queue_entry;
using detail::task_entry;
using detail::text_at;

constexpr std::chrono::seconds kHeartbeat{2};
constexpr std::chrono::seconds kGoodbye{1};

double seconds_now() { return static_cast<double>(now_unix().value) / 1e9; }

}  // namespace

class RemoteControl::Impl {
 public:
  Impl(std::shared_ptr<net::RedisClient> client, Worker& worker)
      : client_(std::move(client)),
        worker_(worker),
        prefix_(fmt::format("/{}.", client_->config().database)) {}

  static net::task<void> listen(std::shared_ptr<Impl> self) {
    std::vector<std::string> channels(1, detail::control_channel(self->client_->config().database));
    for (;;) {
      auto subscription = co_await self->client_->subscribe(channels);
      if (!subscription) {
        if (!co_await net::sleep_for(kHeartbeat)) co_return;
        continue;
      }
      while (auto message = co_await subscription->next()) {
        co_await self->answer(std::move(message->payload));
      }
      co_return;
    }
  }

  static net::task<void> beat(std::shared_ptr<Impl> self) {
    co_await self->tell_worker("online");
    do {
      co_await self->tell_worker("heartbeat");
    } while (co_await net::sleep_for(kHeartbeat));
  }

  static net::task<void> tell_tasks(std::shared_ptr<Impl> self) {
    constexpr std::size_t kAtOnce = 200;
    while (auto first = co_await self->worker_.next_event()) {
      json::array events;
      for (auto next = std::move(first); next; next = self->worker_.try_next_event()) {
        events.push_back(self->completed(std::move(*next)));
        if (events.size() == kAtOnce) break;
      }
      co_await self->tell("task.multi", std::move(events));
    }
  }

  net::task<void> tell_worker(std::string what) {
    std::array<double, 3> load{};
    (void)::getloadavg(load.data(), 3);
    json::object event{{"type", "worker-" + what},
                       {"timestamp", seconds_now()},
                       {"freq", static_cast<double>(kHeartbeat.count())},
                       {"active", worker_.running()},
                       {"processed", worker_.finished()},
                       {"loadavg", json::array{load[0], load[1], load[2]}},
                       {"sw_ident", "alphaswarm"},
                       {"sw_ver", "1"},
                       {"sw_sys", "Linux"}};
    co_await tell("worker." + what, completed(std::move(event)));
  }

 private:
  json::object completed(json::object event) {
    event["hostname"] = worker_.hostname();
    event["utcoffset"] = 0;
    event["pid"] = ::getpid();
    event["clock"] = ++clock_;
    return event;
  }

  net::task<void> tell(std::string routing_key, json::value body) {
    net::RedisCommand command = {
        "PUBLISH", prefix_ + "celeryev/" + routing_key,
        envelope(body, {{"hostname", worker_.hostname()}}, "celeryev", routing_key)};
    // At most once, as events are: nobody waits for one that is lost.
    (void)co_await client_->command(std::move(command));
  }

  [[nodiscard]] bool is_for_us(const json::value& request) const {
    const auto names = names_in(at(request, "destination"));
    if (!names.empty()) return std::ranges::find(names, worker_.hostname()) != names.end();
    const std::string pattern = text_at(request, "pattern");
    const std::string matcher = text_at(request, "matcher");
    return pattern.empty() || matcher.empty() || matches(worker_.hostname(), pattern, matcher);
  }

  net::task<void> answer(std::string payload) {
    boost::system::error_code error;
    const json::value message = json::parse(payload, error);
    const auto request = error ? std::nullopt : body_of(message);
    if (!request || !is_for_us(*request)) co_return;
    if (const json::value* headers = at(message, "headers")) {
      const json::value* expires = at(*headers, "expires");
      // Zero: never.
      const double until =
          expires != nullptr && expires->is_number() ? expires->to_number<double>() : 0;
      if (until > 0 && until < seconds_now()) co_return;
    }
    const json::value none = json::object();
    const json::value* arguments = at(*request, "arguments");
    json::value reply =
        perform(text_at(*request, "method"), arguments == nullptr ? none : *arguments);
    const json::value* reply_to = at(*request, "reply_to");
    if (reply_to == nullptr || !reply_to->is_object()) co_return;
    const std::string key = text_at(*reply_to, "routing_key");
    const std::string exchange = text_at(*reply_to, "exchange");
    if (key.empty() || exchange.empty()) co_return;
    json::object headers{{"ticket", text_at(*request, "ticket")}, {"clock", ++clock_}};
    json::object body;
    body[worker_.hostname()] = std::move(reply);
    net::RedisCommand command = {"LPUSH", key + "." + exchange,
                                 envelope(body, std::move(headers), exchange, key)};
    const auto sent = co_await client_->command(std::move(command));
    if (!sent) log_warning("worker", "a control request was not answered: " + sent.error().message);
  }

  json::value perform(const std::string& method, const json::value& arguments) {
    if (method == "ping") return {{"ok", "pong"}};
    if (method == "hello") return {{"revoked", revoked()}, {"clock", ++clock_}};
    if (method == "active") return tasks_in(TaskPhase::active);
    if (method == "reserved") return tasks_in(TaskPhase::reserved);
    if (method == "scheduled") return scheduled();
    if (method == "stats") return stats();
    if (method == "registered" || method == "registered_tasks") return registered();
    if (method == "active_queues") return queues();
    if (method == "revoked") return revoked();
    if (method == "revoke") return revoke(arguments);
    if (method == "query_task") return query(arguments);
    if (method == "conf") return conf();
    if (method == "heartbeat") return nullptr;  // one comes every two seconds anyway
    if (method == "clock") return {{"clock", ++clock_}};
    if (method == "enable_events" || method == "disable_events") {
      const bool on = method == "enable_events";
      worker_.enable_events(on);
      return {{"ok", on ? "task events enabled" : "task events disabled"}};
    }
    return {{"error", fmt::format("KeyError('{}')", method)}};
  }

  json::array tasks_in(TaskPhase phase) const {
    json::array list;
    for (const TaskInfo& task : worker_.tasks()) {
      if (task.phase == phase) list.push_back(task_entry(task, worker_.hostname()));
    }
    return list;
  }
  json::array scheduled() const {
    json::array list;
    for (const TaskInfo& task : worker_.tasks()) {
      if (task.phase != TaskPhase::scheduled) continue;
      list.push_back(json::object{{"eta", to_python_time(task.eta.value_or(task.since))},
                                  {"priority", task.priority},
                                  {"request", task_entry(task, worker_.hostname())}});
    }
    return list;
  }
  json::array registered() const {
    json::array list;
    for (const std::string& name : worker_.registered()) list.emplace_back(name);
    return list;
  }
  json::array queues() const {
    json::array list;
    for (const std::string& name : worker_.config().queues) list.push_back(queue_entry(name));
    return list;
  }
  json::array revoked() const {
    json::array list;
    for (const std::string& id : worker_.revoked()) list.emplace_back(id);
    return list;
  }
  json::value revoke(const json::value& arguments) {
    const json::value* terminate = at(arguments, "terminate");
    std::string flagged;
    for (const std::string& id : names_in(at(arguments, "task_id"))) {
      worker_.revoke(id, terminate != nullptr && terminate->is_bool() && terminate->get_bool());
      flagged += (flagged.empty() ? "'" : ", '") + id + "'";
    }
    return {{"ok", "tasks {" + flagged + "} flagged as revoked"}};
  }
  json::object query(const json::value& arguments) const {
    const auto ids = names_in(at(arguments, "ids"));
    json::object found;
    for (const TaskInfo& task : worker_.tasks()) {
      for (const std::string& id : ids) {
        if (id != task.id) continue;
        found[id] = json::array{name_of(task.phase), task_entry(task, worker_.hostname())};
      }
    }
    return found;
  }
  json::object conf() const {
    return {{"worker_concurrency", worker_.config().concurrency},
            {"worker_prefetch_multiplier", worker_.config().prefetch},
            {"task_acks_late", true},
            {"task_track_started", worker_.config().track_started},
            {"task_default_queue", "default"},
            {"result_serializer", "json"},
            {"task_serializer", "json"}};
  }
  json::object stats() {
    rusage usage{};
    (void)::getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) {
      return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    json::object total;
    for (const auto& [name, count] : worker_.totals()) total[name] = count;
    const WorkerConfig& config = worker_.config();
    const net::RedisConfig& redis = client_->config();
    return {{"total", std::move(total)},
            {"pid", ::getpid()},
            {"clock", std::to_string(++clock_)},
            {"uptime", (monotonic_ns() - started_) / 1'000'000'000},
            {"pool",
             {{"implementation", "alphaswarm"},
              {"max-concurrency", config.concurrency},
              {"processes", json::array{::getpid()}},
              {"max-tasks-per-child", "N/A"},
              {"put-guarded-by-semaphore", false},
              {"timeouts", json::array{0, 0}},
              {"writes", json::object()}}},
            {"broker",
             {{"hostname", redis.host},
              {"port", redis.port},
              {"transport", "redis"},
              {"virtual_host", std::to_string(redis.database)},
              {"userid", nullptr}}},
            {"prefetch_count", config.concurrency * config.prefetch},
            {"rusage",
             {{"utime", seconds(usage.ru_utime)},
              {"stime", seconds(usage.ru_stime)},
              {"maxrss", usage.ru_maxrss}}}};
  }

  const std::shared_ptr<net::RedisClient> client_;
  Worker& worker_;
  const std::string prefix_;
  const std::int64_t started_ = monotonic_ns();
  std::atomic<std::int64_t> clock_{0};  // Lamport's, of what this worker says; orders nothing else

 public:
  net::Runtime* runtime_ = nullptr;
  std::stop_source stop_;
};

RemoteControl::RemoteControl(net::Runtime& runtime, std::shared_ptr<net::RedisClient> client,
                             Worker& worker)
    : impl_(std::make_shared<Impl>(std::move(client), worker)) {
  impl_->runtime_ = &runtime;
  net::spawn(runtime, impl_->stop_, Impl::listen(impl_));
  net::spawn(runtime, impl_->stop_, Impl::beat(impl_));
  net::spawn(runtime, impl_->stop_, Impl::tell_tasks(impl_));
}

RemoteControl::~RemoteControl() { stop(); }

void RemoteControl::stop() {
  if (impl_->stop_.stop_requested()) return;
  impl_->stop_.request_stop();
  try {
    (void)net::block_on(*impl_->runtime_,
                        net::race(impl_->tell_worker("offline"), net::sleep_for(kGoodbye)));
  } catch (const std::exception& error) {
    log_warning("worker", fmt::format("saying goodbye failed: {}", error.what()));
  }
}

}  // namespace alphaswarm::tasks
