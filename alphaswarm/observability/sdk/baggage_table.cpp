#include "alphaswarm/observability/sdk/baggage_table.hpp"

#include "alphaswarm/base/counters.hpp"

namespace alphaswarm::observability::sdk {

std::uint64_t BaggageTable::hold(std::string text) {
  if (text.empty()) return 0;
  const std::scoped_lock lock(mutex_);
  if (const auto known = by_text_.find(text); known != by_text_.end()) {
    Entry& entry = entries_.at(known->second);
    if (entry.holders++ == 0) unheld_.erase(entry.age);
    return known->second;
  }
  if (!make_room(text.size())) {
    static Counter& dropped = counter("alphaswarm_baggage_dropped_total", "",
                                      "Baggage that found no room and reads as empty.");
    dropped.add();
    return 0;
  }
  bytes_ += text.size();
  Entry& entry = entries_[++last_];
  entry.text = std::move(text);
  entry.holders = 1;
  by_text_.emplace(entry.text, last_);
  return last_;
}

void BaggageTable::release(std::uint64_t handle) noexcept {
  if (handle == 0) return;
  const std::scoped_lock lock(mutex_);
  Entry& entry = entries_.at(handle);  // held until now, hence there
  if (--entry.holders == 0) entry.age = unheld_.insert(unheld_.end(), handle);
}

std::string BaggageTable::read(std::uint64_t handle) const {
  const std::scoped_lock lock(mutex_);
  const auto at = entries_.find(handle);
  return at != entries_.end() ? at->second.text : std::string();
}

bool BaggageTable::make_room(std::size_t bytes) {
  while (entries_.size() >= kMaxEntries || bytes_ + bytes > kMaxBytes) {
    if (unheld_.empty()) return false;
    const auto oldest = entries_.find(unheld_.front());
    unheld_.pop_front();
    bytes_ -= oldest->second.text.size();
    by_text_.erase(oldest->second.text);
    entries_.erase(oldest);
  }
  return true;
}

BaggageTable& baggage_table() {
  static auto* const table = new BaggageTable;
  return *table;
}

}  // namespace alphaswarm::observability::sdk
