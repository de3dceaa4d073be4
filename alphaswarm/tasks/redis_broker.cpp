#include "alphaswarm/tasks/redis_broker.hpp"

#include <fmt/format.h>

#include <boost/json/serialize.hpp>
#include <map>
#include <mutex>
#include <utility>

#include "alphaswarm/base/counters.hpp"
#include "alphaswarm/base/ids.hpp"
#include "alphaswarm/base/log.hpp"
#include "alphaswarm/tasks/control_shapes.hpp"
#include "alphaswarm/tasks/redis_bus.hpp"
#include "alphaswarm/tasks/redis_loans.hpp"
#include "alphaswarm/tasks/redis_scripts.hpp"
#include "alphaswarm/tasks/redis_setback.hpp"
#include "alphaswarm/tasks/redis_settling.hpp"
#include "alphaswarm/tasks/task_result.hpp"

namespace alphaswarm::tasks {
namespace {

namespace json = boost::json;
using detail::kUnacked;
using detail::kUnackedIndex;
using detail::list_of;

constexpr std::chrono::seconds kWatch{10};             // one BLMOVE
constexpr std::chrono::milliseconds kWatchPause{500};  // after a failed one
constexpr std::size_t kMaxUnsure = 1'000;              // claims whose reply was lost

// Beyond the time a command may lie in a connection's buffers before it is run after all.
constexpr char kVoidSeconds[] = "3600";

class RedisBroker final : public Broker, public std::enable_shared_from_this<RedisBroker> {
 public:
  RedisBroker(net::Runtime& runtime, std::shared_ptr<net::RedisClient> client,
              const RedisBrokerOptions& options)
      : runtime_(runtime),
        options_(options),
        client_(std::move(client)),
        loans_(std::make_shared<detail::RedisLoans>(client_, options)),
        setback_(client_, loans_),
        settling_(client_) {}
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
      if (!taken) {
        // It may have taken some all the same, if only its reply was lost.
        auto found = co_await net::shielded(claim_unsure());
        if (found && !found->empty()) co_return found;
      }
      if (!taken || !taken->empty()) co_return taken;
      const std::int64_t left = deadline - monotonic_ns();
      if (left <= 0) co_return std::vector<Delivery>();
      watch(queues);
      const auto woken = co_await arrival->wait_for(std::chrono::nanoseconds(left));
      if (!woken) co_return std::vector<Delivery>();
    }
  }

  net::task<Result<void>> acknowledge(const Delivery& delivery) override {
    const auto settled = co_await settling_.settle(delivery, StoredResult());
    co_return settled ? Result<void>() : std::unexpected(settled.error());
  }
  net::task<Result<bool>> finish(const Delivery& delivery, StoredResult result) override {
    return settling_.settle(delivery, std::move(result));
  }

  net::task<Result<void>> give_back(const Delivery& delivery) override {
    const auto done = co_await loans_->put_back(delivery, "");
    co_return done ? Result<void>() : std::unexpected(done.error());
  }

  net::task<Result<bool>> requeue(std::vector<Delivery> deliveries, NextTry next) override {
    return loans_->requeue(std::move(deliveries), std::move(next));
  }
  net::task<Result<void>> leave(const Delivery& delivery, std::chrono::nanoseconds grace) override {
    return loans_->leave(delivery, grace);
  }
  net::task<Result<void>> keep(std::vector<Delivery> deliveries) override {
    if (deliveries.empty()) co_return Result<void>();
    const std::string now = detail::as_score(now_unix());
    net::RedisCommand command = {"ZADD", kUnackedIndex, "XX"};
    for (Delivery& delivery : deliveries) {
      std::string lost = detail::lost_tag(delivery);
      command.insert(command.end(), {now, std::move(delivery.tag)});
      if (!lost.empty()) command.insert(command.end(), {now, std::move(lost)});
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

  net::task<Result<Subscription>> subscribe_results() override {
    std::vector<std::string> patterns(1, result_key("*"));
    auto subscription = co_await client_->subscribe({}, std::move(patterns));
    if (!subscription) co_return std::unexpected(subscription.error());
    co_return Subscription(make_redis_source(std::move(*subscription)));
  }

  net::task<Result<void>> revoke(std::string task_id) override {
    net::RedisCommand command = {"PUBLISH", detail::control_channel(client_->config().database),
                                 detail::revoke_request(task_id)};
    const auto reply = co_await client_->command(std::move(command));
    co_return reply ? Result<void>() : std::unexpected(reply.error());
  }

  std::unique_ptr<ConsumerRegistration> register_consumer(
      std::vector<std::string> /*queues*/) override {
    return detail::RedisLoans::keep_restoring(runtime_, loans_);
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
  net::task<Result<bool>> has_forgotten() override { return loans_->has_forgotten(); }
  net::task<Result<void>> presume_lent(std::vector<Delivery> messages,
                                       std::chrono::nanoseconds grace) override {
    return loans_->presume_lent(std::move(messages), grace);
  }
  net::task<Result<void>> remember() override { return loans_->remember(); }
  net::task<Result<std::optional<Setback>>> find_setback(
      std::chrono::nanoseconds settled) override {
    return setback_.find(settled);
  }
  net::task<Result<std::size_t>> presume_lent_if_missing(std::vector<Delivery> messages,
                                                         std::chrono::nanoseconds grace,
                                                         Setback setback) override {
    return setback_.presume_lent_if_missing(std::move(messages), grace, std::move(setback));
  }
  net::task<Result<std::size_t>> restore() override { return loans_->restore(); }
  std::string_view system() const noexcept override { return "redis"; }

 private:
  // ---- claiming

  // The claim's id makes it one that can be asked about: see claim_unsure().
  net::task<Result<std::vector<Delivery>>> claim(std::vector<std::string> queues,
                                                 std::size_t most) {
    auto earlier = co_await claim_unsure();
    if (!earlier || !earlier->empty()) co_return earlier;
    const std::string id = random_uuid();
    std::vector<std::string> keys = {kUnacked, kUnackedIndex, void_key(id)};
    std::vector<std::string> arguments = {id, detail::as_score(now_unix()), std::to_string(most),
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
    if (!reply) {
      if (may_have_been_run(reply.error())) note_unsure({id, most});
      co_return std::unexpected(reply.error());
    }
    std::vector<Delivery> taken;
    for (std::size_t i = 0; i + 1 < reply->elements.size(); i += 2) {
      const auto list = static_cast<std::size_t>(std::stoul(reply->elements[i].text));
      const std::string& queue = queues[(first + list % queues.size()) % queues.size()];
      taken.push_back({std::move(reply->elements[i + 1].text), queue,
                       fmt::format("{}:{}", id, taken.size() + 1)});
    }
    co_return taken;
  }

  // What claims took whose reply was lost; nothing that such a claim may still take later.
  net::task<Result<std::vector<Delivery>>> claim_unsure() {
    std::vector<Delivery> taken;
    while (auto claim = next_unsure()) {
      std::vector<std::string> keys = {kUnacked, kUnackedIndex, void_key(claim->id)};
      std::vector<std::string> arguments = {claim->id, detail::as_score(now_unix()),
                                            std::to_string(claim->most), kVoidSeconds};
      auto reply = co_await client_->script(claim_again_, std::move(keys), std::move(arguments));
      if (!reply) {
        note_unsure(std::move(*claim));
        if (!taken.empty()) co_return taken;
        co_return std::unexpected(reply.error());
      }
      for (std::size_t i = 0; i < reply->elements.size(); ++i) {
        auto lent = detail::decode_lent(reply->elements[i].text);
        if (!lent) continue;  // its lease ends, and it is reported then
        taken.push_back({std::move(lent->message), std::move(lent->queue),
                         fmt::format("{}:{}", claim->id, i + 1)});
      }
    }
    if (!taken.empty()) {
      static Counter& found = counter("alphaswarm_tasks_reclaimed_total", "",
                                      "Task messages found again after a claim's reply was lost.");
      found.add(taken.size());
      log_warning("broker", fmt::format("{} messages whose claim was not answered were found again",
                                        taken.size()));
    }
    co_return taken;
  }

  struct Unsure {
    std::string id;
    std::size_t most;
  };
  static std::string void_key(const std::string& id) { return "alphaswarm:claim:" + id + ":void"; }
  static bool may_have_been_run(const Error& error) {
    return error.code == ErrorCode::unavailable || error.code == ErrorCode::deadline_exceeded ||
           error.code == ErrorCode::data_loss || error.code == ErrorCode::cancelled;
  }
  void note_unsure(Unsure claim) {
    const std::scoped_lock lock(mutex_);
    unsure_.push_back(std::move(claim));
    if (unsure_.size() > kMaxUnsure) unsure_.erase(unsure_.begin());
  }
  std::optional<Unsure> next_unsure() {
    const std::scoped_lock lock(mutex_);
    if (unsure_.empty()) return std::nullopt;
    Unsure claim = std::move(unsure_.back());
    unsure_.pop_back();
    return claim;
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

  net::Runtime& runtime_;
  const RedisBrokerOptions options_;
  const std::shared_ptr<net::RedisClient> client_;
  const std::shared_ptr<detail::RedisLoans> loans_;  // shared with the tasks that restore
  detail::RedisSetback setback_;
  detail::RedisSettling settling_;
  const net::RedisScript claim_{detail::kClaim};
  const net::RedisScript claim_again_{detail::kClaimAgain};
  std::stop_source stop_;  // of those that wait

  std::mutex mutex_;  // guards what follows
  std::size_t turn_ = 0;
  std::vector<Unsure> unsure_;
  std::shared_ptr<net::AsyncEvent> arrival_;  // shared with those who wait for it
  std::map<std::string, bool, std::less<>> watched_;
};

}  // namespace

std::shared_ptr<Broker> make_redis_broker(net::Runtime& runtime,
                                          std::shared_ptr<net::RedisClient> client,
                                          const RedisBrokerOptions& options) {
  return std::make_shared<RedisBroker>(runtime, std::move(client), options);
}

}  // namespace alphaswarm::tasks
