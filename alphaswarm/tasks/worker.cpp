#include "alphaswarm/tasks/worker.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <cmath>

#include "alphaswarm/base/counters.hpp"
#include "alphaswarm/base/log.hpp"
#include "alphaswarm/base/random.hpp"
#include "alphaswarm/tasks/host.hpp"
#include "alphaswarm/tasks/worker_impl.hpp"

namespace alphaswarm::tasks {
namespace {

constexpr std::chrono::seconds kPopLimit{1};
constexpr std::chrono::milliseconds kBrokerPause{500};  // after a failure of the broker
constexpr std::chrono::milliseconds kLastGrace{100};    // of a worker that nobody stopped
// Well within the grace of watch_for_loss(): what this worker has is not sent again.
constexpr std::chrono::seconds kKeepEvery{5};

WorkerConfig completed(WorkerConfig config) {
  if (config.hostname.empty()) config.hostname = "celery@" + host_name();
  config.concurrency = std::max(1U, config.concurrency);
  config.prefetch = std::max(1U, config.prefetch);
  return config;
}

}  // namespace

Worker::Impl::Impl(net::Runtime& runtime, std::shared_ptr<Broker> broker, std::shared_ptr<Bus> bus,
                   std::shared_ptr<persistence::Database> database,
                   std::shared_ptr<ProgressBus> progress, WorkerConfig config)
    : runtime_(runtime),
      broker_(std::move(broker)),
      bus_(std::move(bus)),
      database_(std::move(database)),
      progress_(std::move(progress)),
      config_(completed(std::move(config))),
      places_(std::size_t{config_.concurrency} * config_.prefetch),
      slots_(config_.concurrency) {}

void Worker::Impl::register_task(std::string name, TaskFunction function, TaskOptions options) {
  functions_.insert_or_assign(std::move(name), Registered{std::move(function), options});
}

void Worker::Impl::start() {
  {
    const std::scoped_lock lock(mutex_);
    if (dispatching_ || stopping_) return;
    dispatching_ = true;
  }
  for (unsigned i = 0; i < config_.concurrency * config_.prefetch; ++i) {
    (void)places_.try_push(Slot{});
  }
  for (unsigned i = 0; i < config_.concurrency; ++i) (void)slots_.try_push(Slot{});
  registration_ = broker_->register_consumer(config_.queues);
  net::spawn(runtime_, dispatch_stop_, keeping(shared_from_this(), dispatch()));
  if (broker_->lease().count() > 0) {
    net::spawn(runtime_, keep_stop_, keeping(shared_from_this(), keep_deliveries()));
  }
}

net::task<void> Worker::Impl::keeping([[maybe_unused]] std::shared_ptr<Impl> self,
                                      net::task<void> work) {
  co_await std::move(work);
}

net::task<void> Worker::Impl::dispatch() {
  while (!dispatch_stop_.stop_requested()) {
    SlotGuard place(places_);
    if (!co_await place.take()) break;
    std::size_t places = 1;
    while (places_.try_pop()) ++places;
    auto taken = co_await broker_->take(config_.queues, places, kPopLimit);
    const std::size_t used = taken ? taken->size() : 0;
    if (used > 0) place.hand_over();
    for (std::size_t i = std::max<std::size_t>(used, 1); i < places; ++i) {
      (void)places_.try_push(Slot{});
    }
    if (!taken) {
      log_error("worker", "taking a message failed: " + taken.error().message);
      (void)co_await net::sleep_for(kBrokerPause);
      continue;
    }
    for (Delivery& delivery : *taken) begin_handling(std::move(delivery));
  }
  {
    const std::scoped_lock lock(mutex_);
    dispatching_ = false;
  }
  idle_.notify_all();
}

void Worker::Impl::begin_handling(Delivery delivery) {
  std::stop_source stop;
  {
    const std::scoped_lock lock(mutex_);
    handlers_.emplace(delivery.tag, Handler{delivery, stop});
    if (stopping_) stop.request_stop();
  }
  net::spawn(runtime_, stop, keeping(shared_from_this(), handle(std::move(delivery), stop)));
}

net::task<void> Worker::Impl::keep_deliveries() {
  const std::chrono::nanoseconds interval =
      std::min<std::chrono::nanoseconds>(broker_->lease() / 4, kKeepEvery);
  while (co_await net::sleep_for(interval)) {
    std::vector<Delivery> held;
    {
      const std::scoped_lock lock(mutex_);
      for (const auto& [tag, handler] : handlers_) held.push_back(handler.delivery);
      for (const auto& [id, handling] : running_ids_) {
        for (const Delivery& delivery : handling->deliveries()) held.push_back(delivery);
      }
    }
    const auto kept = co_await broker_->keep(std::move(held));
    if (!kept) log_warning("worker", "keeping messages failed: " + kept.error().message);
  }
}

net::task<void> Worker::Impl::handle(Delivery delivery, std::stop_source stop) {
  Handling handling(*this, delivery);
  auto message = decode_message(delivery.message);
  Settlement settlement = Settlement::acknowledge;
  if (!message) {
    static Counter& malformed = counter("alphaswarm_tasks_malformed_total", "",
                                        "Task messages that could not be read and were dropped.");
    malformed.add();
    log_error("worker", fmt::format("a message of queue {} was dropped: {}", delivery.queue,
                                    message.error().message));
  } else {
    message->queue = delivery.queue;
    note(delivery.tag, *message);
    received_event(*message);
    bool ready = true;
    if (message->eta && *message->eta > now_unix()) {
      bool bounded = false;
      {
        const std::scoped_lock lock(mutex_);
        bounded = scheduled_ < config_.max_scheduled;
        if (bounded) ++scheduled_;
      }
      if (bounded) handling.place().release();
      enter_phase(delivery.tag, TaskPhase::scheduled);
      ready = co_await wait_until(*message->eta);
      enter_phase(delivery.tag, TaskPhase::reserved);
      if (bounded) {
        const std::scoped_lock lock(mutex_);
        --scheduled_;
      }
    }
    if (ready) ready = co_await handling.slot().take();
    const bool ends_anyway = is_revoked(message->id);
    if (!ends_anyway && (!ready || stop.stop_requested())) {
      settlement = Settlement::give_back;
    } else if (handling.claim(message->id)) {
      auto earlier = co_await earlier_result(*message);
      if (!earlier) {
        settlement = co_await run(std::move(*message), stop, handling);
      } else if (broker_->keeps_results()) {
        const bool wanted = wants_result(*message);
        (void)co_await net::shielded(finish_at_broker(std::move(*earlier), wanted, handling));
        settlement = Settlement::settled;
      }
    }
  }
  // Also when this task was asked to stop: a message must not be left in between.
  co_await net::shielded(settle(settlement, handling));
}

net::task<bool> Worker::Impl::wait_until(UnixNanos due) {
  // In steps, because the wall clock may be set while the sleep counts steady time.
  constexpr std::int64_t kLongestStep = 60'000'000'000;
  for (std::int64_t left = due.value - now_unix().value; left > 0;
       left = due.value - now_unix().value) {
    const std::chrono::nanoseconds step(std::min(left, kLongestStep));
    if (!co_await net::sleep_for(step)) co_return false;
  }
  co_return true;
}

bool Worker::Impl::stop(std::chrono::milliseconds grace) {
  std::unique_lock lock(mutex_);
  stopping_ = true;
  for (auto& [tag, handler] : handlers_) handler.stop.request_stop();
  lock.unlock();
  registration_.reset();
  dispatch_stop_.request_stop();
  lock.lock();
  const bool ended =
      idle_.wait_for(lock, grace, [&] { return !dispatching_ && handlers_.empty(); });
  lock.unlock();
  keep_stop_.request_stop();
  if (!ended) give_back_unfinished();
  return ended;
}

void Worker::Impl::give_back_unfinished() {
  std::vector<Delivery> unfinished;
  {
    const std::scoped_lock lock(mutex_);
    for (auto& [tag, handler] : handlers_) unfinished.push_back(handler.delivery);
  }
  for (const Delivery& delivery : unfinished) {
    log_warning("worker",
                "a task did not stop in time; its message went back to queue " + delivery.queue);
    try {
      const auto given = net::block_on(runtime_, broker_->give_back(delivery));
      if (!given) log_error("worker", "giving a message back failed: " + given.error().message);
    } catch (const std::exception& error) {
      log_error("worker", fmt::format("giving a message back failed: {}", error.what()));
    }
  }
}

std::vector<std::string> Worker::Impl::registered() const {
  std::vector<std::string> names;
  for (const auto& [name, function] : functions_) names.push_back(name);
  return names;
}

std::vector<TaskInfo> Worker::Impl::tasks() const {
  const std::scoped_lock lock(mutex_);
  std::vector<TaskInfo> all;
  for (const auto& [tag, handler] : handlers_) {
    if (handler.info) all.push_back(*handler.info);
  }
  return all;
}

std::map<std::string, std::uint64_t> Worker::Impl::totals() const {
  const std::scoped_lock lock(mutex_);
  return totals_;
}

void Worker::Impl::revoke(std::string id, bool terminate) {
  constexpr std::size_t kRemembered = 50'000;
  const std::scoped_lock lock(mutex_);
  const auto [known, inserted] = revoked_.emplace(id, terminate);
  known->second = known->second || terminate;
  for (auto& [tag, handler] : handlers_) {
    if (terminate && handler.info && handler.info->id == id) handler.stop.request_stop();
  }
  if (!inserted) return;
  revoked_order_.push_back(std::move(id));
  if (revoked_order_.size() > kRemembered) {
    revoked_.erase(revoked_order_.front());
    revoked_order_.pop_front();
  }
}

std::vector<std::string> Worker::Impl::revoked() const {
  const std::scoped_lock lock(mutex_);
  return {revoked_order_.begin(), revoked_order_.end()};
}

bool Worker::Impl::is_revoked(const std::string& id) const {
  const std::scoped_lock lock(mutex_);
  return revoked_.contains(id);
}

void Worker::Impl::note(const std::string& tag, const TaskMessage& message) {
  TaskInfo info{message.id,     message.task,     message.queue,       message.args,
                message.kwargs, message.priority, message.redelivered, TaskPhase::reserved,
                now_unix(),     message.eta};
  const std::scoped_lock lock(mutex_);
  ++totals_[functions_.contains(message.task) ? message.task : "unknown"];
  const auto found = handlers_.find(tag);
  if (found == handlers_.end()) return;
  found->second.delivery.task_id = message.id;
  found->second.info = std::move(info);
}

void Worker::Impl::enter_phase(const std::string& tag, TaskPhase phase) {
  const std::scoped_lock lock(mutex_);
  const auto found = handlers_.find(tag);
  if (found == handlers_.end() || !found->second.info) return;
  found->second.info->phase = phase;
  found->second.info->since = now_unix();
}

void Worker::Impl::event(std::string_view type, const std::string& id, boost::json::object more) {
  if (!events_on_.load(std::memory_order_relaxed)) return;
  more["type"] = type;
  more["uuid"] = id;
  more["timestamp"] = static_cast<double>(now_unix().value) / 1e9;
  (void)events_.push_dropping_oldest(std::move(more));
}

void Worker::Impl::received_event(const TaskMessage& message) {
  if (!events_on_.load(std::memory_order_relaxed)) return;
  const auto text = [](const std::string& value) {
    return value.empty() ? boost::json::value(nullptr) : boost::json::value(value);
  };
  const auto time = [](const std::optional<UnixNanos>& value) {
    return value ? boost::json::value(to_python_time(*value)) : boost::json::value(nullptr);
  };
  event("task-received", message.id,
        {{"name", message.task},
         {"args", boost::json::serialize(message.args)},
         {"kwargs", boost::json::serialize(message.kwargs)},
         {"root_id", text(message.root_id)},
         {"parent_id", text(message.parent_id)},
         {"retries", message.retries},
         {"eta", time(message.eta)},
         {"expires", time(message.expires)}});
}

std::size_t Worker::Impl::running() const {
  const std::scoped_lock lock(mutex_);
  return running_ids_.size();
}

std::uint64_t Worker::Impl::finished() const {
  const std::scoped_lock lock(mutex_);
  return finished_;
}

const boost::json::value* TaskContext::argument(std::string_view argument_name,
                                                std::size_t position) const {
  if (const boost::json::value* value = kwargs.if_contains(argument_name)) return value;
  return position < args.size() ? &args[position] : nullptr;
}

Worker::Worker(net::Runtime& runtime, std::shared_ptr<Broker> broker, std::shared_ptr<Bus> bus,
               std::shared_ptr<persistence::Database> database,
               std::shared_ptr<ProgressBus> progress, WorkerConfig config)
    : impl_(std::make_shared<Impl>(runtime, std::move(broker), std::move(bus), std::move(database),
                                   std::move(progress), std::move(config))) {}

Worker::~Worker() { stop(kLastGrace); }

void Worker::register_task(std::string name, TaskFunction function, TaskOptions options) {
  impl_->register_task(std::move(name), std::move(function), options);
}
void Worker::start() { impl_->start(); }
bool Worker::stop(std::chrono::milliseconds grace) { return impl_->stop(grace); }
std::size_t Worker::running() const { return impl_->running(); }
std::uint64_t Worker::finished() const { return impl_->finished(); }
const std::string& Worker::hostname() const { return impl_->hostname(); }
const WorkerConfig& Worker::config() const { return impl_->config(); }
std::vector<std::string> Worker::registered() const { return impl_->registered(); }
std::vector<TaskInfo> Worker::tasks() const { return impl_->tasks(); }
std::map<std::string, std::uint64_t> Worker::totals() const { return impl_->totals(); }
void Worker::revoke(std::string id, bool terminate) { impl_->revoke(std::move(id), terminate); }
std::vector<std::string> Worker::revoked() const { return impl_->revoked(); }
void Worker::enable_events(bool on) { impl_->enable_events(on); }
net::task<std::optional<boost::json::object>> Worker::next_event() { return impl_->events().pop(); }
std::optional<boost::json::object> Worker::try_next_event() { return impl_->events().try_pop(); }

}  // namespace alphaswarm::tasks
