// celery_peer worker URL [concurrency prefetch visibility_ms]   a worker with small tasks
// celery_peer send URL QUEUE TASK ARGS [OPTIONS]                one task; prints its result
// OPTIONS, as JSON: priority, countdown and expires (seconds from now), wait (false: prints its id)
// Ends on SIGTERM or SIGINT.

#include <pthread.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "alphaswarm/net/redis.hpp"
#include "alphaswarm/tasks/queue.hpp"
#include "alphaswarm/tasks/redis_broker.hpp"
#include "alphaswarm/tasks/redis_bus.hpp"
#include "alphaswarm/tasks/remote_control.hpp"
#include "alphaswarm/tasks/worker.hpp"

namespace {

using namespace std::chrono_literals;
using namespace alphaswarm;
namespace json = boost::json;

net::task<Result<json::value>> echo(tasks::TaskContext& context) {
  const json::value* value = context.argument("value", 0);
  co_return value == nullptr ? json::value(nullptr) : *value;
}
net::task<Result<json::value>> noop(tasks::TaskContext& /*context*/) { co_return json::value(); }
net::task<Result<json::value>> broken(tasks::TaskContext& /*context*/) {
  co_return fail(ErrorCode::invalid_argument, "broken on purpose");
}
net::task<Result<json::value>> sleeping(tasks::TaskContext& context) {
  const std::chrono::duration<double> time(context.argument("seconds", 0)->to_number<double>());
  const auto slept =
      co_await net::sleep_for(std::chrono::duration_cast<std::chrono::nanoseconds>(time));
  if (!slept) co_return std::unexpected(slept.error());
  co_return json::value("slept");
}
net::task<Result<json::value>> flaky(tasks::TaskContext& context) {
  const auto times = context.argument("times", 0)->to_number<std::int64_t>();
  if (context.retries < times) co_return fail(ErrorCode::unavailable, "not yet");
  co_return json::value(context.retries);
}
// Stays with the kind of worker that is named, until that one is killed; the other ends it.
net::task<Result<json::value>> stuck(tasks::TaskContext& context) {
  if (context.argument("where", 0)->as_string() != "ours") co_return json::value("ours");
  (void)co_await net::sleep_for(1h);
  co_return fail(ErrorCode::cancelled, "stopped");
}
// Appends a line to a file, so that a test can count runs.
net::task<Result<json::value>> note(tasks::TaskContext& context) {
  std::ofstream file(std::string(context.argument("file", 0)->as_string()), std::ios::app);
  file << context.id << '\n';
  file.flush();
  (void)co_await net::sleep_for(2ms);
  co_return json::value("noted");
}

struct Peer {
  Peer(const char* url, const tasks::RedisBrokerOptions& options)
      : client(std::make_shared<net::RedisClient>(runtime, *net::parse_redis_url(url))),
        bus(tasks::make_redis_bus(client, client)),
        broker(tasks::make_redis_broker(runtime, client, options)) {}

  net::Runtime runtime{"peer", 2};
  std::shared_ptr<net::RedisClient> client;
  std::shared_ptr<tasks::Bus> bus;
  std::shared_ptr<tasks::Broker> broker;
};

int work(int count, char** arguments) {
  const auto number = [&](int at, unsigned otherwise) {
    return count > at ? static_cast<unsigned>(std::strtoul(arguments[at], nullptr, 10)) : otherwise;
  };
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  tasks::RedisBrokerOptions options;
  options.visibility_timeout = std::chrono::milliseconds(number(5, 3'600'000));
  options.restore_interval =
      std::min<std::chrono::milliseconds>(options.visibility_timeout / 4, options.restore_interval);
  Peer peer(arguments[2], options);
  const auto progress = std::make_shared<tasks::ProgressBus>(tasks::make_memory_bus(), nullptr);
  tasks::WorkerConfig config;
  config.queues = {"default", "other"};
  config.concurrency = number(3, 4);
  config.prefetch = number(4, 4);
  config.track_started = false;  // as Celery's default
  tasks::Worker worker(peer.runtime, peer.broker, peer.bus, nullptr, progress, config);
  worker.register_task("peer.echo", echo);
  worker.register_task("peer.noop", noop);
  worker.register_task("peer.fail", broken);
  worker.register_task("peer.sleep", sleeping);
  worker.register_task("peer.note", note);
  worker.register_task("peer.stuck", stuck);
  worker.register_task("peer.silent", echo, {.ignore_result = true});
  worker.register_task("peer.flaky", flaky,
                       {.max_retries = 3, .first_backoff = 50ms, .longest_backoff = 200ms});
  worker.start();
  tasks::RemoteControl control(peer.runtime, peer.client, worker);
  std::puts("ready");
  std::fflush(stdout);
  int signal = 0;
  sigwait(&signals, &signal);
  control.stop();
  const bool ended = worker.stop(5s);
  peer.runtime.stop();
  return ended ? 0 : 1;
}

std::optional<UnixNanos> from_now(const json::object& options, std::string_view name) {
  const json::value* seconds = options.if_contains(name);
  if (seconds == nullptr) return std::nullopt;
  const double nanos = seconds->to_number<double>() * 1e9;
  return UnixNanos{now_unix().value + static_cast<std::int64_t>(nanos)};
}

int send(int count, char** arguments) {
  Peer peer(arguments[2], {});
  tasks::TaskQueue queue(peer.broker, peer.bus, nullptr);
  tasks::ApplyOptions options;
  options.queue = arguments[3];
  const json::object more = count > 6 ? json::parse(arguments[6]).as_object() : json::object();
  options.priority = more.contains("priority") ? more.at("priority").to_number<int>() : 0;
  options.eta = from_now(more, "countdown");
  options.expires = from_now(more, "expires");
  json::array values = json::parse(arguments[5]).as_array();
  const auto id = net::block_on(
      peer.runtime, queue.apply_async(arguments[4], std::move(values), {}, std::move(options)));
  if (!id) {
    std::fprintf(stderr, "%s\n", id.error().message.c_str());
    return 1;
  }
  if (more.contains("wait") && !more.at("wait").as_bool()) {
    std::puts(json::serialize(json::value{{"id", *id}}).c_str());
    return 0;
  }
  const auto result = net::block_on(peer.runtime, queue.wait(*id, 20s));
  peer.runtime.stop();
  if (!result) {
    std::fprintf(stderr, "%s\n", result.error().message.c_str());
    return 1;
  }
  std::puts(json::serialize(json::value{{"id", *id},
                                        {"status", result->status},
                                        {"result", result->result},
                                        {"exception_type", result->exception_type},
                                        {"error", result->error}})
                .c_str());
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  const std::string_view mode = count > 2 ? arguments[1] : "";
  if (mode == "worker") return work(count, arguments);
  if (mode == "send" && (count == 6 || count == 7)) return send(count, arguments);
  std::fputs(
      "usage: celery_peer worker URL [concurrency prefetch visibility_ms] | "
      "send URL QUEUE TASK ARGS [OPTIONS]\n",
      stderr);
  return 2;
}
