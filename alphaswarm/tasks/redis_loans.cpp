#include "alphaswarm/tasks/redis_loans.hpp"

#include <fmt/format.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <utility>

#include "alphaswarm/base/counters.hpp"
#include "alphaswarm/base/ids.hpp"
#include "alphaswarm/base/log.hpp"
#include "alphaswarm/tasks/message.hpp"

namespace alphaswarm::tasks::detail {
namespace {

namespace json = boost::json;

constexpr char kUnackedMutex[] = "unacked_mutex";
constexpr char kMutexLife[] = "300000";  // ms, as kombu
constexpr std::size_t kRestoreAtOnce = 100;
constexpr std::size_t kPresumeAtOnce = 100;

// Ours: there as long as Redis has not lost its data since somebody last saw to it.
constexpr char kWhole[] = "alphaswarm:broker:whole";
constexpr char kWholeLease[] = "30000";  // ms, for who sees to it

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

}  // namespace

std::string list_of(std::string_view queue, std::size_t step) {
  std::string list(queue);
  if (step > 0) list += fmt::format("\x06\x16{}", kPrioritySteps[step]);
  return list;
}

std::string as_score(UnixNanos time) {
  return fmt::format("{:.6f}", static_cast<double>(time.value) / 1e9);
}

std::string lost_tag(const Delivery& delivery) {
  return delivery.task_id.empty() ? std::string() : "lost:" + delivery.task_id;
}

std::string lent_of(const Delivery& each) {
  return "[" + each.message + ",\"\"," + json::serialize(json::value(each.queue)) + "]";
}

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

net::task<Result<bool>> RedisLoans::put_back(Delivery delivery, std::string kept_before) {
  std::vector<std::string> keys = {kUnacked, kUnackedIndex,
                                   list_of(delivery.queue, step_of_message(delivery.message)),
                                   kPutBacks};
  std::vector<std::string> arguments = {delivery.tag, mark_redelivered(delivery.message),
                                        std::move(kept_before), lost_tag(delivery)};
  const auto reply = co_await client_->script(put_back_, std::move(keys), std::move(arguments));
  if (!reply) co_return std::unexpected(reply.error());
  co_return reply->integer == 1;
}

namespace {

struct Restoring final : ConsumerRegistration {
  Restoring() = default;
  Restoring(const Restoring&) = delete;
  Restoring& operator=(const Restoring&) = delete;
  ~Restoring() override { stop.request_stop(); }
  std::stop_source stop;
};

}  // namespace

std::unique_ptr<ConsumerRegistration> RedisLoans::keep_restoring(
    net::Runtime& runtime, std::shared_ptr<RedisLoans> loans) {
  auto registration = std::make_unique<Restoring>();
  const auto interval = loans->options_.restore_interval;
  net::spawn(runtime, registration->stop, restore_from_time_to_time(loans, interval));
  return registration;
}

net::task<void> RedisLoans::restore_from_time_to_time(std::weak_ptr<RedisLoans> loans,
                                                      std::chrono::milliseconds interval) {
  for (;;) {
    if (const auto alive = loans.lock()) {
      const auto restored = co_await alive->restore();
      if (!restored) {
        log_warning("broker",
                    "looking for messages of lost workers failed: " + restored.error().message);
      }
    } else {
      co_return;
    }
    if (!co_await net::sleep_for(interval)) co_return;
  }
}

net::task<Result<std::size_t>> RedisLoans::restore() {
  // Who has the mutex works for all. It saves work and is not needed for correctness: each
  // message is put back by a script that sees whether it is still lent.
  const std::string owner = random_uuid();
  net::RedisCommand lock = {"SET", kUnackedMutex, owner, "NX", "PX", kMutexLife};
  const auto locked = co_await client_->command(std::move(lock));
  if (!locked) co_return std::unexpected(locked.error());
  if (locked->is_nil()) co_return std::size_t{0};
  auto restored = co_await restore_expired();
  std::vector<std::string> keys = {kUnackedMutex};
  std::vector<std::string> arguments = {owner};
  // If it fails, the key ends by itself.
  (void)co_await net::shielded(client_->script(unlock_, std::move(keys), std::move(arguments)));
  if (restored && *restored > 0) {
    static Counter& count = counter("alphaswarm_tasks_restored_total", "",
                                    "Task messages taken back from workers that were lost.");
    count.add(*restored);
    log_warning("broker", fmt::format("{} messages of lost workers are lent again", *restored));
  }
  co_return restored;
}

net::task<Result<std::size_t>> RedisLoans::restore_expired() {
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
    const std::size_t before_these = restored;
    for (const net::RedisReply& tag : tags->elements) {
      const auto done = co_await restore_one(tag.text, before);
      if (!done) co_return std::unexpected(done.error());
      if (*done) ++restored;
    }
    if (restored == before_these || tags->elements.size() < kRestoreAtOnce) co_return restored;
  }
}

net::task<Result<bool>> RedisLoans::restore_one(std::string tag, std::string before) {
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
  Delivery delivery{std::move(lent->message), std::move(lent->queue), std::move(tag)};
  co_return co_await put_back(std::move(delivery), std::move(before));
}

net::task<Result<bool>> RedisLoans::has_forgotten() {
  net::RedisCommand claim = {"SET", kWhole, "no", "NX", "PX", kWholeLease};
  const auto reply = co_await client_->command(std::move(claim));
  if (!reply) co_return std::unexpected(reply.error());
  co_return !reply->is_nil();
}

net::task<Result<void>> RedisLoans::presume_lent(std::vector<Delivery> messages,
                                                 std::chrono::nanoseconds grace) {
  const std::string score = score_of(grace);
  for (std::size_t first = 0; first < messages.size(); first += kPresumeAtOnce) {
    std::vector<std::string> keys = {kUnacked, kUnackedIndex};
    std::vector<std::string> arguments = {score};
    const std::size_t end = std::min(messages.size(), first + kPresumeAtOnce);
    for (std::size_t i = first; i < end; ++i) {
      const Delivery& each = messages[i];
      arguments.push_back(lost_tag(each));
      arguments.push_back(lent_of(each));
    }
    const auto reply =
        co_await client_->script(presume_lent_, std::move(keys), std::move(arguments));
    if (!reply) co_return std::unexpected(reply.error());
  }
  co_return Result<void>();
}

net::task<Result<bool>> RedisLoans::requeue(std::vector<Delivery> deliveries, NextTry next) {
  std::vector<std::string> keys = {kUnacked, kUnackedIndex,
                                   list_of(next.queue, priority_step(next.priority))};
  std::vector<std::string> arguments = {std::move(next.message), std::move(next.state.key),
                                        std::to_string(next.state.time_to_live.count()),
                                        std::move(next.state.text)};
  for (Delivery& each : deliveries) {
    std::string lost = lost_tag(each);
    arguments.push_back(std::move(each.tag));
    if (!lost.empty()) arguments.push_back(std::move(lost));
  }
  const auto reply = co_await client_->script(requeue_, std::move(keys), std::move(arguments));
  if (!reply) co_return std::unexpected(reply.error());
  co_return reply->integer == 1;
}

net::task<Result<void>> RedisLoans::leave(Delivery delivery, std::chrono::nanoseconds grace) {
  std::vector<std::string> keys = {kUnacked, kUnackedIndex};
  std::vector<std::string> arguments = {delivery.tag, lost_tag(delivery), lent_of(delivery),
                                        score_of(grace)};
  const auto reply = co_await client_->script(leave_, std::move(keys), std::move(arguments));
  co_return reply ? Result<void>() : std::unexpected(reply.error());
}

std::string RedisLoans::score_of(std::chrono::nanoseconds grace) const {
  const std::int64_t lease = std::chrono::nanoseconds(options_.visibility_timeout).count();
  return as_score(UnixNanos{now_unix().value - lease + grace.count()});
}

net::task<Result<void>> RedisLoans::remember() {
  net::RedisCommand command = {"SET", kWhole, "yes", "XX"};
  const auto reply = co_await client_->command(std::move(command));
  co_return reply ? Result<void>() : std::unexpected(reply.error());
}

}  // namespace alphaswarm::tasks::detail
