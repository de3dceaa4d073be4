#include "alphaswarm/base/counters.hpp"

#include <pthread.h>

#include <map>
#include <memory>
#include <mutex>
#include <utility>

namespace alphaswarm {
namespace {

struct Entry {
  std::string help;
  Counter counter;
  std::unique_ptr<Gauge> gauge;  // what it is, if it is one
};

struct Registry {
  std::mutex mutex;
  std::map<std::pair<std::string, std::string>, Entry> entries;

  Entry& entry(std::string_view name, std::string_view labels, std::string_view help) {
    Entry& found = entries[{std::string(name), std::string(labels)}];
    if (found.help.empty()) found.help = help;
    return found;
  }
};

// Leaked: outlives every static user. A fork waits for the lock, so that the child finds it free.
Registry& registry() {
  static Registry* const kRegistry = [] {
    static Registry* made = new Registry;
    ::pthread_atfork([] { made->mutex.lock(); }, [] { made->mutex.unlock(); },
                     [] { made->mutex.unlock(); });
    return made;
  }();
  return *kRegistry;
}

}  // namespace

Counter& counter(std::string_view name, std::string_view labels, std::string_view help) {
  Registry& all = registry();
  const std::scoped_lock lock(all.mutex);
  return all.entry(name, labels, help).counter;
}

Gauge& gauge(std::string_view name, std::string_view labels, std::string_view help) {
  Registry& all = registry();
  const std::scoped_lock lock(all.mutex);
  Entry& entry = all.entry(name, labels, help);
  if (entry.gauge == nullptr) entry.gauge = std::make_unique<Gauge>();
  return *entry.gauge;
}

void visit_counters(const std::function<void(const CounterSample&)>& see) {
  Registry& all = registry();
  const std::scoped_lock lock(all.mutex);
  for (const auto& [key, entry] : all.entries) {
    const bool is_gauge = entry.gauge != nullptr;
    see({key.first, key.second, entry.help, is_gauge ? entry.gauge->value() : entry.counter.value(),
         is_gauge});
  }
}

}  // namespace alphaswarm
