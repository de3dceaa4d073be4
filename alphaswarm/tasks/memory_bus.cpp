#include <algorithm>
#include <map>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "alphaswarm/base/counters.hpp"
#include "alphaswarm/base/time.hpp"
#include "alphaswarm/tasks/bus.hpp"
#include "alphaswarm/tasks/mailbox.hpp"

namespace alphaswarm::tasks {
namespace {

constexpr std::int64_t kNever = INT64_MAX;

Counter& evicted_keys() {
  static Counter& instance = counter("alphaswarm_bus_evicted_keys_total", "",
                                     "Keys of the in-process bus removed before their time.");
  return instance;
}

// Keys with a time to live; the lock is the owner's.
class Keys {
 public:
  explicit Keys(std::size_t limit) : limit_(limit) {}

  void set(const std::string& key, std::string value, std::int64_t expires, std::int64_t now) {
    remove(key);
    make_room(now);
    const auto place = by_expiry_.emplace(expires, key);
    entries_.emplace(key, Entry{std::move(value), expires, place});
  }

  std::optional<std::string> get(const std::string& key, std::int64_t now) {
    const auto found = entries_.find(key);
    if (found == entries_.end()) return std::nullopt;
    if (found->second.expires > now) return found->second.value;
    remove(key);
    return std::nullopt;
  }

  bool remove(const std::string& key) {
    const auto found = entries_.find(key);
    if (found == entries_.end()) return false;
    by_expiry_.erase(found->second.place);
    entries_.erase(found);
    return true;
  }

 private:
  using ByExpiry = std::multimap<std::int64_t, std::string>;
  struct Entry {
    std::string value;
    std::int64_t expires;
    ByExpiry::iterator place;
  };

  void make_room(std::int64_t now) {
    while (!by_expiry_.empty()) {
      const auto first = by_expiry_.begin();
      const bool expired = first->first <= now;
      if (!expired && entries_.size() < limit_) return;
      if (!expired) evicted_keys().add();
      entries_.erase(first->second);
      by_expiry_.erase(first);
    }
  }

  std::size_t limit_;
  std::unordered_map<std::string, Entry> entries_;
  ByExpiry by_expiry_;
};

// Shared with the subscriptions, which may outlive the bus.
struct Channels {
  std::mutex mutex;
  std::unordered_map<std::string, std::vector<std::shared_ptr<detail::Mailbox>>> by_name;

  void remove(const std::string& channel, const detail::Mailbox* mailbox) {
    const std::scoped_lock lock(mutex);
    const auto found = by_name.find(channel);
    if (found == by_name.end()) return;
    std::erase_if(found->second, [&](const auto& other) { return other.get() == mailbox; });
    if (found->second.empty()) by_name.erase(found);
  }
};

class MailboxSource final : public SubscriptionSource {
 public:
  MailboxSource(std::shared_ptr<detail::Mailbox> mailbox, std::shared_ptr<Channels> channels,
                std::string channel)
      : mailbox_(std::move(mailbox)),
        channels_(std::move(channels)),
        channel_(std::move(channel)) {}
  ~MailboxSource() override { channels_->remove(channel_, mailbox_.get()); }

  net::task<std::optional<std::string>> next(
      std::optional<std::chrono::nanoseconds> limit) override {
    return limit ? mailbox_->payloads.pop_for(*limit) : mailbox_->payloads.pop();
  }
  std::uint64_t dropped() const noexcept override {
    return mailbox_->dropped.load(std::memory_order_relaxed);  // a statistic: orders nothing
  }
  std::uint64_t gaps() const noexcept override { return 0; }

 private:
  std::shared_ptr<detail::Mailbox> mailbox_;  // shared with the bus, which may close first
  std::shared_ptr<Channels> channels_;
  std::string channel_;
};

class MemoryBus final : public Bus {
 public:
  explicit MemoryBus(const MemoryBusOptions& options)
      : options_(options), keys_(options.max_keys) {}
  ~MemoryBus() override {
    const std::scoped_lock lock(channels_->mutex);
    for (auto& [name, mailboxes] : channels_->by_name) {
      for (auto& mailbox : mailboxes) mailbox->payloads.close();
    }
  }

  net::task<Result<void>> publish(std::string channel, std::string payload) override {
    const std::scoped_lock lock(channels_->mutex);
    if (const auto found = channels_->by_name.find(channel); found != channels_->by_name.end()) {
      for (auto& mailbox : found->second) mailbox->deliver(payload);
    }
    co_return Result<void>();
  }

  net::task<Result<Subscription>> subscribe(std::string channel) override {
    auto mailbox = std::make_shared<detail::Mailbox>(options_.mailbox_capacity);
    {
      const std::scoped_lock lock(channels_->mutex);
      channels_->by_name[channel].push_back(mailbox);
    }
    co_return Subscription(
        std::make_unique<MailboxSource>(std::move(mailbox), channels_, std::move(channel)));
  }

  net::task<Result<void>> set(std::string key, std::string value,
                              std::optional<std::chrono::seconds> time_to_live) override {
    const std::int64_t now = monotonic_ns();
    const std::int64_t expires =
        time_to_live ? now + std::chrono::nanoseconds(*time_to_live).count() : kNever;
    const std::scoped_lock lock(keys_mutex_);
    keys_.set(key, std::move(value), expires, now);
    co_return Result<void>();
  }

  net::task<Result<std::optional<std::string>>> get(std::string key) override {
    const std::scoped_lock lock(keys_mutex_);
    co_return keys_.get(key, monotonic_ns());
  }

  net::task<Result<bool>> del(std::string key) override {
    const std::scoped_lock lock(keys_mutex_);
    const bool was_there = keys_.get(key, monotonic_ns()).has_value();
    keys_.remove(key);
    co_return was_there;
  }

 private:
  const MemoryBusOptions options_;
  std::shared_ptr<Channels> channels_ = std::make_shared<Channels>();
  std::mutex keys_mutex_;
  Keys keys_;  // guarded by keys_mutex_
};

}  // namespace

std::shared_ptr<Bus> make_memory_bus(const MemoryBusOptions& options) {
  return std::make_shared<MemoryBus>(options);
}

}  // namespace alphaswarm::tasks
