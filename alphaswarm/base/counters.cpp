#include "alphaswarm/base/counters.hpp"

#include <map>
#include <mutex>
#include <utility>

namespace alphaswarm {
namespace {

struct Entry {
  std::string help;
  Counter counter;
};

struct Registry {
  std::mutex mutex;
  std::map<std::pair<std::string, std::string>, Entry> entries;
};

Registry& registry() {
  static Registry* const kRegistry = new Registry;  // leaked: outlives every static user
  return *kRegistry;
}

}  // namespace

Counter& counter(std::string_view name, std::string_view labels, std::string_view help) {
  Registry& all = registry();
  const std::scoped_lock lock(all.mutex);
  Entry& entry = all.entries[{std::string(name), std::string(labels)}];
  if (entry.help.empty()) entry.help = help;
  return entry.counter;
}

void visit_counters(const std::function<void(const CounterSample&)>& see) {
  Registry& all = registry();
  const std::scoped_lock lock(all.mutex);
  for (const auto& [key, entry] : all.entries) {
    see({key.first, key.second, entry.help, entry.counter.value()});
  }
}

}  // namespace alphaswarm
