#pragma once

// Where baggage headers live, so that a task's slot stays a small value that is copied bytewise.

#include <cstddef>
#include <cstdint>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace alphaswarm::observability::sdk {

// Thread-safe, under one lock: only tasks with baggage come here. Equal texts share an entry.
// Bounded: the oldest that no scope holds is forgotten first, and reads as empty. Tasks that
// inherited it do not hold it, so that texts are kept beyond their scope while there is room.
class BaggageTable {
 public:
  static constexpr std::size_t kMaxEntries = 8'192;
  static constexpr std::size_t kMaxBytes = 4U << 20U;

  // 0 for the empty text, or if all the room is held.
  [[nodiscard]] std::uint64_t hold(std::string text);
  void release(std::uint64_t handle) noexcept;
  [[nodiscard]] std::string read(std::uint64_t handle) const;

 private:
  struct Entry {
    std::string text;
    std::uint32_t holders = 0;
    std::list<std::uint64_t>::iterator age;
  };
  bool make_room(std::size_t bytes);

  mutable std::mutex mutex_;
  std::uint64_t last_ = 0;
  std::size_t bytes_ = 0;
  std::unordered_map<std::uint64_t, Entry> entries_;
  std::unordered_map<std::string_view, std::uint64_t> by_text_;  // views of the entries' texts
  std::list<std::uint64_t> unheld_;                              // oldest first
};

// Never destroyed: tasks may end while static objects are.
[[nodiscard]] BaggageTable& baggage_table();

}  // namespace alphaswarm::observability::sdk
