#include "alphaswarm/tasks/redis_broker.hpp"

#include <fmt/format.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <map>
#include <mutex>
#include <utility>

#include "alphaswarm/base/counters.hpp"
#include "alphaswarm/base/ids.hpp"
#include "alphaswarm/base/log.hpp"
#include "alphaswarm/tasks/message.hpp"
#include "alphaswarm/tasks/redis_scripts.hpp"

namespace alphaswarm::tasks {
namespace {

namespace json = boost::json;

constexpr char kUnacked[] = "unacked";
constexpr char kUnackedIndex[] = "unacked_index";
constexpr char kUnackedMutex[] = "unacked_mutex";
constexpr char kMutexLife[] = "300000";                // ms, as kombu
constexpr std::chrono::seconds kWatch{10};             // one BLMOVE
constexpr std::chrono::milliseconds kWatchPause{500};  // after a failed one
constexpr std::size_t kRestoreAtOnce = 100;

std::string list_of(std::string_view queue, std::size_t step) {
  std::string list(queue);
  if (step > 0) list += fmt::format("\x06\x16{}", kPrioritySteps[step]);
  return list;
}

// Seconds since the epoch, as Python's time() counts them.
std::string as_score(UnixNanos time) {
  return fmt::format("{:.6f}", static_cast<double>(time.value) / 1e9);
}

int priority_of(const json::object& envelope) {
  const json::value* properties = envelope.if_contains("properties");
  if (properties == nullptr || !properties->is_object()) return 0;
  const json::value* priority = properties->get_object().if_contains("priority");
  return priority != nullptr && priority->is_int64() ? static_cast<int>(priority->get_int64()) : 0;
}

std::size_t step_of_message(std::string_view message) {
  boost::system::error_code error;
  const json::value parsed = json::parse(message, error);
  return !error && parsed.is_object() ? priority_step(priority_of(parsed.get_object())) : 0;
}

// What unacked holds of a message: [envelope, exchange, routing key].
struct Lent {
  std::string message;
  std::string queue;
};

std::optional<Lent> decode_lent(std::string_view text) {
  boost::system::error_code error;
  const json::value parsed = json::parse(text, error);
  const json::array* parts = error ? nullptr : parsed.if_array();
  if (parts == nullptr || parts->size() < 3 || !(*parts)[0].is_object() ||
      !(*parts)[2].is_string()) {
    return std::nullopt;
  }
  return Lent{json::serialize((*parts)[0]), std::string((*parts)[2].get_string())};
}

class RedisBroker final : public Broker, public std::enable_shared_from_this<RedisBroker> {
 public:
  RedisBroker(net::Runtime& runtime, std::shared_ptr<net::RedisClient> client,
              const RedisBrokerOptions& options)
      : runtime_(runtime), options_(options), client_(std::move(client)) {}
  RedisBroker(const RedisBroker&) = delete;
  RedisBroker& operator=(const RedisBroker&) = delete;
  ~RedisBroker() override { stop_.request_stop(); }

  net::task<Result<void>> push(std::string queue, int priority, std::string message) override {
    net::RedisCommand command = {"LPUSH", list_of(queue, priority_step(priority)),
                                 std::move(message)};
    const auto reply = co_await client_->command(std::move(command));
    co_return reply ? Result<void>() : std::unexpected(reply.error());
  }

  net::task<Result<std::vector<Delivery>>> take(std::vector<std::string> queues, std::size_t most,
                                                std::chrono::nanoseconds limit) override {
    const std::int64_t deadline = monotonic_ns() + limit.count();
    for (;;) {
      // Before the look, so that what arrives after it sets this event and no older one.
      const std::shared_ptr<net::AsyncEvent> arrival = next_arrival();
      // Not to be interrupted half-way: what the script took would be lent to nobody.
      auto taken = co_await net::shielded(claim(queues, most));
      if (!taken || !taken->empty()) co_return taken;
      const std::int64_t left = deadline - monotonic_ns();
      if (left <= 0) co_return std::vector<Delivery>();
      watch(queues);
      const auto woken = co_await arrival->wait_for(std::chrono::nanoseconds(left));
      if (!woken) co_return std::vector<Delivery>();
    }
  }

  net::task<Result<void>> acknowledge(const Delivery& delivery) override {
    const auto settled = co_await settle(delivery.tag, StoredResult());
    co_return settled ? Result<void>() : std::unexpected(settled.error());
  }
  net::task<Result<bool>> finish(const Delivery& delivery, StoredResult result) override {
    return settle(delivery.tag, std::move(result));
  }

  net::task<Result<void>> give_back(const Delivery& delivery) override {
    const auto done = co_await put_back(delivery.tag, delivery.message, delivery.queue, "");
    co_return done ? Result<void>() : std::unexpected(done.error());
  }

  net::task<Result<void>> keep(std::vector<Delivery> deliveries) override {
    if (deliveries.empty()) co_return Result<void>();
    const std::string now = as_score(now_unix());
    net::RedisCommand command = {"ZADD", kUnackedIndex, "XX"};
    for (Delivery& delivery : deliveries) {
      command.push_back(now);
      command.push_back(std::move(delivery.tag));
    }
    const auto reply = co_await client_->command(std::move(command));
    co_return reply ? Result<void>() : std::unexpected(reply.error());
  }
  std::chrono::nanoseconds lease() const noexcept override { return options_.visibility_timeout; }

  bool keeps_results() const noexcept override { return true; }
  net::task<Result<void>> store(StoredResult result) override {
    std::vector<net::RedisCommand> commands;
    commands.push_back(
        {"SETEX", result.key, std::to_string(result.time_to_live.count()), result.text});
    commands.push_back({"PUBLISH", result.key, result.text});
    const auto replies = co_await client_->transaction(std::move(commands));
    if (!replies) co_return std::unexpected(replies.error());
    for (const net::RedisReply& reply : *replies) {
      if (reply.is_error()) co_return std::unexpected(net::redis_error("SETEX", reply));
    }
    co_return Result<void>();
  }
  net::task<Result<std::optional<std::string>>> find_result(std::string key) override {
    net::RedisCommand command = {"GET", std::move(key)};
    auto reply = co_await client_->command(std::move(command));
    if (!reply) co_return std::unexpected(reply.error());
    if (reply->is_nil()) co_return std::optional<std::string>();
    co_return std::optional<std::string>(std::move(reply->text));
  }

  std::unique_ptr<ConsumerRegistration> register_consumer(
      std::vector<std::string> /*queues*/) override {
    auto registration = std::make_unique<Restoring>();
    net::spawn(runtime_, registration->stop, restore_from_time_to_time(weak_from_this(), options_));
    return registration;
  }
  // Workers of other processes are not known here.
  bool has_consumer(std::string_view /*queue*/) const override { return true; }

  net::task<Result<std::size_t>> waiting(std::string queue) override {
    std::vector<net::RedisCommand> commands;
    for (std::size_t step = 0; step < kPrioritySteps.size(); ++step) {
      commands.push_back({"LLEN", list_of(queue, step)});
    }
    const auto replies = co_await client_->pipeline(std::move(commands));
    if (!replies) co_return std::unexpected(replies.error());
    std::size_t total = 0;
    for (const net::RedisReply& reply : *replies) {
      if (reply.is_error()) co_return std::unexpected(net::redis_error("LLEN", reply));
      total += static_cast<std::size_t>(reply.integer);
    }
    co_return total;
  }
  net::task<Result<std::size_t>> unacknowledged() override {
    net::RedisCommand command = {"HLEN", kUnacked};
    const auto reply = co_await client_->command(std::move(command));
    if (!reply) co_return std::unexpected(reply.error());
    co_return static_cast<std::size_t>(reply->integer);
  }
  std::string_view system() const noexcept override { return "redis"; }

 private:
  struct Restoring final : ConsumerRegistration {
    Restoring() = default;
    Restoring(const Restoring&) = delete;
    Restoring& operator=(const Restoring&) = delete;
    ~Restoring() override { stop.request_stop(); }
    std::stop_source stop;
  };
  struct Settling {
    std::string tag;
    StoredResult result;
    Result<bool> done = false;
    net::AsyncEvent event;
  };

  // ---- claiming

  net::task<Result<std::vector<Delivery>>> claim(std::vector<std::string> queues,
                                                 std::size_t most) {
    std::vector<std::string> keys = {kUnacked, kUnackedIndex};
    const std::string id = random_uuid();
    std::vector<std::string> arguments = {id, as_score(now_unix()), std::to_string(most),
                                          std::to_string(queues.size())};
    const std::size_t first = next_turn(queues.size());
    for (std::size_t step = 0; step < kPrioritySteps.size(); ++step) {
      for (std::size_t i = 0; i < queues.size(); ++i) {
        const std::string& queue = queues[(first + i) % queues.size()];
        keys.push_back(list_of(queue, step));
        arguments.push_back(json::serialize(json::value(queue)));
      }
    }
    auto reply = co_await client_->script(claim_, std::move(keys), std::move(arguments));
    if (!reply) co_return std::unexpected(reply.error());
    std::vector<Delivery> taken;
    for (std::size_t i = 0; i + 1 < reply->elements.size(); i += 2) {
      const auto list = static_cast<std::size_t>(std::stoul(reply->elements[i].text));
      const std::string& queue = queues[(first + list % queues.size()) % queues.size()];
      taken.push_back({std::move(reply->elements[i + 1].text), queue,
                       fmt::format("{}:{}", id, taken.size() + 1)});
    }
    co_return taken;
  }

  std::size_t next_turn(std::size_t queues) {
    const std::scoped_lock lock(mutex_);
    return queues == 0 ? 0 : turn_++ % queues;
  }

  // ---- waiting

  std::shared_ptr<net::AsyncEvent> next_arrival() {
    const std::scoped_lock lock(mutex_);
    if (!arrival_ || arrival_->is_set()) arrival_ = std::make_shared<net::AsyncEvent>();
    return arrival_;
  }
  void arrived(const std::string& list) {
    const std::scoped_lock lock(mutex_);
    watched_[list] = false;
    if (arrival_) arrival_->set();
  }

  // Every list was seen empty: from now on each has somebody who waits for its first message. One
  // that waits already goes on; one whose list has given a message starts again here.
  void watch(const std::vector<std::string>& queues) {
    for (const std::string& queue : queues) {
      for (std::size_t step = 0; step < kPrioritySteps.size(); ++step) {
        std::string list = list_of(queue, step);
        {
          const std::scoped_lock lock(mutex_);
          if (std::exchange(watched_[list], true)) continue;
        }
        net::spawn(runtime_, stop_, wait_for_list(weak_from_this(), client_, std::move(list)));
      }
    }
  }

  static net::task<void> wait_for_list(std::weak_ptr<RedisBroker> broker,
                                       std::shared_ptr<net::RedisClient> client, std::string list) {
    const std::string seconds = std::to_string(kWatch.count());
    for (;;) {
      net::RedisCommand command = {"BLMOVE", list, list, "RIGHT", "RIGHT", seconds};
      const auto reply = co_await client->blocking(std::move(command), kWatch);
      if (net::this_task_stop_token().stop_requested()) co_return;
      if (!reply) {
        (void)co_await net::sleep_for(kWatchPause);
      } else if (reply->is_nil()) {
        continue;
      }
      // After a failure too: taking tells the worker what is wrong.
      if (const auto alive = broker.lock()) alive->arrived(list);
      co_return;
    }
  }

  // ---- settling: what ends at about the same time is sent together

  net::task<Result<bool>> settle(std::string tag, StoredResult result) {
    const auto mine = std::make_shared<Settling>();  // shared with who sends it
    mine->tag = std::move(tag);
    mine->result = std::move(result);
    bool send = false;
    {
      const std::scoped_lock lock(mutex_);
      settling_.push_back(mine);
      send = !std::exchange(sending_, true);
    }
    if (send) {
      co_await net::shielded(send_settling());
    } else {
      auto told = mine->event.wait();
      (void)co_await net::shielded(std::move(told));
    }
    co_return mine->done;
  }

  net::task<void> send_settling() {
    for (;;) {
      std::vector<std::shared_ptr<Settling>> batch;
      {
        const std::scoped_lock lock(mutex_);
        batch.swap(settling_);
        if (batch.empty()) {
          sending_ = false;
          co_return;
        }
      }
      std::vector<std::string> keys = {kUnacked, kUnackedIndex};
      std::vector<std::string> arguments;
      for (const auto& each : batch) {
        arguments.push_back(each->tag);
        arguments.push_back(each->result.key);
        arguments.push_back(std::to_string(each->result.time_to_live.count()));
        arguments.push_back(each->result.text);
      }
      const auto reply = co_await client_->script(settle_, std::move(keys), std::move(arguments));
      for (std::size_t i = 0; i < batch.size(); ++i) {
        if (!reply) {
          batch[i]->done = std::unexpected(reply.error());
        } else {
          batch[i]->done = i < reply->elements.size() && reply->elements[i].integer == 1;
        }
        batch[i]->event.set();
      }
    }
  }

  net::task<Result<bool>> put_back(std::string tag, std::string message, std::string queue,
                                   std::string kept_before) {
    std::vector<std::string> keys = {kUnacked, kUnackedIndex,
                                     list_of(queue, step_of_message(message))};
    std::vector<std::string> arguments = {std::move(tag), mark_redelivered(message),
                                          std::move(kept_before)};
    const auto reply = co_await client_->script(put_back_, std::move(keys), std::move(arguments));
    if (!reply) co_return std::unexpected(reply.error());
    co_return reply->integer == 1;
  }

  // ---- restoring what other workers, ours or Python's, have left

  static net::task<void> restore_from_time_to_time(std::weak_ptr<RedisBroker> broker,
                                                   RedisBrokerOptions options) {
    for (;;) {
      if (const auto alive = broker.lock()) {
        const auto restored = co_await alive->restore();
        if (!restored) {
          log_warning("broker",
                      "looking for messages of lost workers failed: " + restored.error().message);
        } else if (*restored > 0) {
          static Counter& count = counter("alphaswarm_tasks_restored_total", "",
                                          "Task messages taken back from workers that were lost.");
          count.add(*restored);
          log_warning("broker",
                      fmt::format("{} messages of lost workers are lent again", *restored));
        }
      } else {
        co_return;
      }
      if (!co_await net::sleep_for(options.restore_interval)) co_return;
    }
  }

  net::task<Result<std::size_t>> restore() {
    // Who has the mutex works for all. It saves work and is not needed for correctness: each
    // message is put back by a script that sees whether it is still lent.
    const std::string owner = random_uuid();
    net::RedisCommand lock = {"SET", kUnackedMutex, owner, "NX", "PX", kMutexLife};
    const auto locked = co_await client_->command(std::move(lock));
    if (!locked) co_return std::unexpected(locked.error());
    if (locked->is_nil()) co_return std::size_t{0};
    auto restored = co_await restore_expired();
    const net::RedisScript unlock(
        "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end return 1");
    std::vector<std::string> keys = {kUnackedMutex};
    std::vector<std::string> arguments = {owner};
    // If it fails, the key ends by itself.
    (void)co_await net::shielded(client_->script(unlock, std::move(keys), std::move(arguments)));
    co_return restored;
  }

  net::task<Result<std::size_t>> restore_expired() {
    const std::chrono::nanoseconds lease = options_.visibility_timeout;
    const std::string before = as_score(UnixNanos{now_unix().value - lease.count()});
    std::size_t restored = 0;
    for (;;) {
      net::RedisCommand find = {"ZREVRANGEBYSCORE",
                                kUnackedIndex,
                                before,
                                "-inf",
                                "LIMIT",
                                "0",
                                std::to_string(kRestoreAtOnce)};
      const auto tags = co_await client_->command(std::move(find));
      if (!tags) co_return std::unexpected(tags.error());
      if (tags->elements.empty()) co_return restored;
      std::size_t before_these = restored;
      for (const net::RedisReply& tag : tags->elements) {
        const auto done = co_await restore_one(tag.text, before);
        if (!done) co_return std::unexpected(done.error());
        if (*done) ++restored;
      }
      if (restored == before_these || tags->elements.size() < kRestoreAtOnce) co_return restored;
    }
  }

  net::task<Result<bool>> restore_one(std::string tag, std::string before) {
    net::RedisCommand read = {"HGET", kUnacked, tag};
    const auto text = co_await client_->command(std::move(read));
    if (!text) co_return std::unexpected(text.error());
    if (text->is_nil()) {
      // Acknowledged meanwhile, or half gone: an index entry without a message is of no use.
      net::RedisCommand forget = {"ZREM", kUnackedIndex, tag};
      const auto forgotten = co_await client_->command(std::move(forget));
      if (!forgotten) co_return std::unexpected(forgotten.error());
      co_return false;
    }
    auto lent = decode_lent(text->text);
    if (!lent) {
      log_error("broker", fmt::format("unacknowledged message {} cannot be read; it stays", tag));
      co_return false;
    }
    co_return co_await put_back(std::move(tag), std::move(lent->message), std::move(lent->queue),
                                std::move(before));
  }

  net::Runtime& runtime_;
  const RedisBrokerOptions options_;
  const std::shared_ptr<net::RedisClient> client_;
  const net::RedisScript claim_{detail::kClaim};
  const net::RedisScript settle_{detail::kSettle};
  const net::RedisScript put_back_{detail::kPutBack};
  std::stop_source stop_;  // of those that wait

  std::mutex mutex_;  // guards what follows
  std::size_t turn_ = 0;
  std::shared_ptr<net::AsyncEvent> arrival_;  // shared with those who wait for it
  std::map<std::string, bool, std::less<>> watched_;
  std::vector<std::shared_ptr<Settling>> settling_;
  bool sending_ = false;
};

}  // namespace

std::shared_ptr<Broker> make_redis_broker(net::Runtime& runtime,
                                          std::shared_ptr<net::RedisClient> client,
                                          const RedisBrokerOptions& options) {
  return std::make_shared<RedisBroker>(runtime, std::move(client), options);
}

}  // namespace alphaswarm::tasks
