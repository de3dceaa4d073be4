#include "alphaswarm/net/detail/redis_pubsub.hpp"

#include <algorithm>

#include "alphaswarm/base/counters.hpp"

namespace alphaswarm::net::detail {
namespace {

Counter& lost_subscriptions() {
  static Counter& instance =
      counter("alphaswarm_redis_subscription_gaps_total", "",
              "Times the connection of subscriptions was lost, and messages may have been.");
  return instance;
}

}  // namespace

task<Result<RedisSubscription>> RedisPubSub::subscribe(std::vector<RedisTopic> topics) {
  if (topics.empty()) {
    co_return fail(ErrorCode::invalid_argument, "a subscription needs a channel or a pattern");
  }
  auto mailbox = std::make_shared<RedisMailbox>(topics, config_.max_waiting_messages);
  // Unsubscribes by itself if this task ends here.
  RedisSubscription subscription(shared_from_this(), mailbox);
  bool start = false;
  {
    const std::lock_guard lock(mutex_);
    if (closed_) co_return fail(ErrorCode::unavailable, "the Redis client is gone");
    for (const RedisTopic& topic : topics) topics_[topic].mailboxes.push_back(mailbox);
    start = !std::exchange(running_, true);
  }
  if (start) spawn(runtime_, stop_, run());
  auto confirmed = co_await ask_for(std::move(topics));
  if (!confirmed) co_return std::unexpected(std::move(confirmed.error()));
  co_return subscription;
}

// Tells the server, if there is one, and waits for its word.
task<Result<void>> RedisPubSub::ask_for(std::vector<RedisTopic> topics) {
  const Deadline deadline = std::chrono::steady_clock::now() + config_.command_timeout;
  std::uint64_t seen = 0;
  std::uint64_t refusals_seen = 0;
  std::shared_ptr<RedisConnection> connection;
  {
    const std::lock_guard lock(mutex_);
    seen = attempts_;
    refusals_seen = refusals_;
    connection = connection_;
  }
  if (connection != nullptr) {
    // A failure wakes the loop, which subscribes again on the next connection.
    std::ignore = co_await tell(*connection, true, topics);
  }
  const auto failed = [&] {
    return refusals_ != refusals_seen || (connection_ == nullptr && attempts_ != seen);
  };
  const auto settled = [&] {
    const auto confirmed = [&](const RedisTopic& topic) { return topics_[topic].confirmed; };
    return closed_ || failed() || std::ranges::all_of(topics, confirmed);
  };
  for (;;) {
    const WaitOutcome outcome = co_await Wait(mutex_, changed_, deadline, settled);
    if (outcome == WaitOutcome::cancelled) {
      co_return fail(ErrorCode::cancelled, "the task was asked to stop");
    }
    const std::lock_guard lock(mutex_);
    const auto confirmed = [&](const RedisTopic& topic) { return topics_[topic].confirmed; };
    if (std::ranges::all_of(topics, confirmed)) co_return Result<void>();
    if (closed_) co_return fail(ErrorCode::unavailable, "the Redis client is gone");
    if (failed() && last_error_) co_return std::unexpected(*last_error_);
    if (outcome == WaitOutcome::timed_out) {
      co_return fail(ErrorCode::deadline_exceeded, "Redis did not confirm a subscription in time");
    }
  }
}

task<Result<void>> RedisPubSub::tell(RedisConnection& connection, bool subscribe,
                                     std::vector<RedisTopic> topics) {
  if (topics.empty()) co_return Result<void>();
  const auto guard = co_await write_mutex_.lock();
  if (!guard) co_return std::unexpected(guard.error());
  RedisCommand channels{subscribe ? "SUBSCRIBE" : "UNSUBSCRIBE"};
  RedisCommand patterns{subscribe ? "PSUBSCRIBE" : "PUNSUBSCRIBE"};
  {
    const std::lock_guard lock(mutex_);
    for (const RedisTopic& topic : topics) {
      if (!subscribe) {
        // Somebody may have come for it since.
        const auto found = topics_.find(topic);
        if (found == topics_.end() || !found->second.mailboxes.empty()) continue;
        topics_.erase(found);
      } else if (topics_[topic].confirmed) {
        continue;
      }
      (topic.is_pattern ? patterns : channels).push_back(topic.name);
    }
  }
  std::string bytes;
  if (channels.size() > 1) append_redis_command(bytes, channels);
  if (patterns.size() > 1) append_redis_command(bytes, patterns);
  const Deadline deadline = std::chrono::steady_clock::now() + config_.command_timeout;
  auto written = co_await connection.write(bytes, deadline);
  // Half a command may be out: only a new connection helps.
  if (!written) connection.shut_down();
  co_return written;
}

task<void> RedisPubSub::run() {
  const auto self = shared_from_this();  // lives as long as the loop
  for (;;) {
    const auto wanted = [this] {
      if (!closed_ && topics_.empty()) running_ = false;
      return true;
    };
    std::ignore = co_await Wait(mutex_, changed_, kNoDeadline, wanted);
    {
      const std::lock_guard lock(mutex_);
      if (closed_ || !running_) co_return;
    }
    auto opened =
        co_await gate_.open(std::chrono::steady_clock::now() + 2 * config_.connect_timeout);
    std::shared_ptr<RedisConnection> connection;  // shared with those who write on it
    if (opened) connection = std::move(*opened);
    {
      const std::lock_guard lock(mutex_);
      connection_ = connection;
      if (!opened) last_error_ = opened.error();
      ++attempts_;
      changed_.wake_all();
    }
    if (!opened) {
      if (opened.error().code == ErrorCode::cancelled) co_return;
      continue;
    }
    co_await serve(std::move(connection));
    lost();
  }
}

// Reads until the connection breaks, or nobody wants it any more.
task<void> RedisPubSub::serve(std::shared_ptr<RedisConnection> connection) {
  std::vector<RedisTopic> all;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [topic, state] : topics_) {
      if (!state.mailboxes.empty()) all.push_back(topic);
    }
  }
  if (!co_await tell(*connection, true, std::move(all))) co_return;
  bool asked = false;
  for (;;) {
    auto reply =
        co_await connection->read(std::chrono::steady_clock::now() + config_.ping_interval);
    if (reply) {
      asked = false;
      take(std::move(*reply));
      continue;
    }
    if (reply.error().code != ErrorCode::deadline_exceeded || std::exchange(asked, true)) co_return;
    if (!co_await sweep(*connection)) co_return;
    const std::lock_guard lock(mutex_);
    if (topics_.empty()) co_return;
  }
}

// Once each silent interval: what nobody listens to is unsubscribed, and the server asked whether
// it is there.
task<Result<void>> RedisPubSub::sweep(RedisConnection& connection) {
  std::vector<RedisTopic> unwanted;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [topic, state] : topics_) {
      if (state.mailboxes.empty()) unwanted.push_back(topic);
    }
  }
  auto told = co_await tell(connection, false, std::move(unwanted));
  if (!told) co_return told;
  const auto guard = co_await write_mutex_.lock();
  if (!guard) co_return std::unexpected(guard.error());
  std::string bytes;
  append_redis_command(bytes, {"PING"});
  co_return co_await connection.write(bytes,
                                      std::chrono::steady_clock::now() + config_.command_timeout);
}

void RedisPubSub::take(RedisReply reply) {
  if (reply.is_error()) {
    const std::lock_guard lock(mutex_);
    last_error_ = redis_error("SUBSCRIBE", reply);
    ++refusals_;
    changed_.wake_all();
    return;
  }
  std::vector<RedisReply>& parts = reply.elements;
  if (parts.size() < 3) return;  // a pong
  const std::string& kind = parts[0].text;
  if (kind == "message") {
    RedisTopic topic{parts[1].text, false};
    deliver(topic, {std::move(parts[1].text), std::move(parts[2].text), ""});
  } else if (kind == "pmessage" && parts.size() == 4) {
    RedisTopic topic{parts[1].text, true};
    deliver(topic, {std::move(parts[2].text), std::move(parts[3].text), topic.name});
  } else if (kind == "subscribe" || kind == "psubscribe") {
    const std::lock_guard lock(mutex_);
    const auto found = topics_.find({parts[1].text, kind == "psubscribe"});
    if (found == topics_.end()) return;
    found->second.confirmed = true;
    for (const auto& mailbox : found->second.mailboxes) {
      if (!std::exchange(mailbox->broken, false)) continue;
      // Release: pairs with gaps(). Messages of after the gap come later than this.
      mailbox->gaps.fetch_add(1, std::memory_order_release);
    }
    changed_.wake_all();
  }
}

void RedisPubSub::deliver(const RedisTopic& topic, RedisMessage message) {
  const std::lock_guard lock(mutex_);
  const auto found = topics_.find(topic);
  if (found == topics_.end()) return;
  for (const auto& mailbox : found->second.mailboxes) {
    const auto lost = mailbox->messages.push_dropping_oldest(message);
    if (lost) mailbox->dropped.fetch_add(*lost, std::memory_order_relaxed);  // a statistic
  }
}

void RedisPubSub::lost() {
  lost_subscriptions().add();
  const std::lock_guard lock(mutex_);
  connection_.reset();
  last_error_ = Error{ErrorCode::unavailable, "the connection to Redis was lost", true};
  for (auto& [topic, state] : topics_) {
    if (!state.confirmed) continue;
    state.confirmed = false;
    for (const auto& mailbox : state.mailboxes) mailbox->broken = true;
  }
  std::erase_if(topics_, [](const auto& entry) { return entry.second.mailboxes.empty(); });
}

void RedisPubSub::remove(const RedisMailbox& mailbox) {
  const std::lock_guard lock(mutex_);
  for (const RedisTopic& topic : mailbox.topics) {
    const auto found = topics_.find(topic);
    if (found == topics_.end()) continue;
    std::erase_if(found->second.mailboxes, [&](const auto& one) { return one.get() == &mailbox; });
    if (found->second.mailboxes.empty() && connection_ == nullptr) topics_.erase(found);
  }
}

void RedisPubSub::close() {
  stop_.request_stop();
  const std::lock_guard lock(mutex_);
  closed_ = true;
  for (auto& [topic, state] : topics_) {
    for (const auto& mailbox : state.mailboxes) mailbox->messages.close();
  }
  topics_.clear();
  changed_.wake_all();
}

}  // namespace alphaswarm::net::detail

namespace alphaswarm::net {

RedisSubscription::RedisSubscription(std::shared_ptr<detail::RedisPubSub> hub,
                                     std::shared_ptr<detail::RedisMailbox> mailbox) noexcept
    : hub_(std::move(hub)), mailbox_(std::move(mailbox)) {}

RedisSubscription::RedisSubscription(RedisSubscription&&) noexcept = default;

RedisSubscription& RedisSubscription::operator=(RedisSubscription&& other) noexcept {
  std::swap(hub_, other.hub_);
  std::swap(mailbox_, other.mailbox_);
  return *this;
}

RedisSubscription::~RedisSubscription() {
  if (hub_ != nullptr) hub_->remove(*mailbox_);
}

task<std::optional<RedisMessage>> RedisSubscription::next() { return mailbox_->messages.pop(); }

task<std::optional<RedisMessage>> RedisSubscription::next_for(std::chrono::nanoseconds limit) {
  return mailbox_->messages.pop_for(limit);
}

std::uint64_t RedisSubscription::dropped() const noexcept {
  return mailbox_->dropped.load(std::memory_order_relaxed);  // a statistic
}

std::uint64_t RedisSubscription::gaps() const noexcept {
  return mailbox_->gaps.load(std::memory_order_acquire);  // pairs with the release in take()
}

}  // namespace alphaswarm::net
