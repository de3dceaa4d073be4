#include "alphaswarm/observability/sdk/tracestate_table.hpp"

#include <algorithm>
#include <cstring>
#include <functional>
#include <vector>

namespace alphaswarm::observability::sdk {
namespace {

constexpr std::size_t kMaxMembers = 32;
constexpr std::size_t kLongMember = 128;  // the recommendation removes longer ones first

bool is_key_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '*' ||
         c == '/';
}

// key = simple-key or tenant@system, as in level 1; level 2 allows a leading digit everywhere.
bool is_key(std::string_view key) {
  if (key.empty() || key.size() > 256) return false;
  const std::size_t at = key.find('@');
  const auto part = [](std::string_view text, std::size_t most) {
    return !text.empty() && text.size() <= most &&
           ((text[0] >= 'a' && text[0] <= 'z') || (text[0] >= '0' && text[0] <= '9')) &&
           std::all_of(text.begin(), text.end(), is_key_char);
  };
  if (at == std::string_view::npos) return part(key, 256);
  return part(key.substr(0, at), 241) && part(key.substr(at + 1), 14);
}

bool is_value(std::string_view value) {
  return !value.empty() && value.size() <= 256 && value.back() != ' ' &&
         std::all_of(value.begin(), value.end(),
                     [](char c) { return c >= 0x20 && c <= 0x7e && c != ',' && c != '='; });
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// The members, or false if one is malformed, a key comes twice or there are too many.
bool split(std::string_view header, std::vector<std::string_view>& members) {
  std::vector<std::string_view> keys;
  while (!header.empty()) {
    const std::size_t comma = header.find(',');
    const std::string_view member = trim(header.substr(0, comma));
    header.remove_prefix(comma == std::string_view::npos ? header.size() : comma + 1);
    if (member.empty()) continue;  // empty members are allowed
    const std::size_t equals = member.find('=');
    if (equals == std::string_view::npos || !is_key(member.substr(0, equals)) ||
        !is_value(member.substr(equals + 1))) {
      return false;
    }
    const std::string_view key = member.substr(0, equals);
    if (std::find(keys.begin(), keys.end(), key) != keys.end()) return false;
    keys.push_back(key);
    members.push_back(member);
    if (members.size() > kMaxMembers) return false;
  }
  return true;
}

std::size_t joined_size(const std::vector<std::string_view>& members) {
  std::size_t size = members.empty() ? 0 : members.size() - 1;
  for (const std::string_view member : members) size += member.size();
  return size;
}

}  // namespace

std::string normalise_tracestate(std::string_view header) {
  std::vector<std::string_view> members;
  if (!split(header, members)) return {};
  for (std::size_t i = members.size(); i-- > 0 && joined_size(members) > kMaxTraceStateBytes;) {
    if (members[i].size() > kLongMember) {
      members.erase(members.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }
  while (joined_size(members) > kMaxTraceStateBytes) members.pop_back();
  std::string text;
  for (const std::string_view member : members) {
    if (!text.empty()) text += ',';
    text += member;
  }
  return text;
}

TraceState TraceStateTable::intern(std::string_view text, bool pinned) noexcept {
  if (text.empty() || text.size() > kMaxTraceStateBytes) return {};
  const auto set_index = static_cast<std::uint32_t>(std::hash<std::string_view>{}(text) % kSets);
  Set& set = sets_[set_index];
  while (set.writing.exchange(true, std::memory_order_acquire)) {  // with the release below
  }
  std::uint32_t way = kWays;
  char known[kMaxTraceStateBytes];
  for (std::uint32_t i = 0; i < kWays && way == kWays; ++i) {
    const std::uint32_t version = set.ways[i].version.load(std::memory_order_relaxed);
    const std::size_t size = read(handle(set_index * kWays + i, version), known);
    if (size != 0 && std::string_view(known, size) == text) way = i;
  }
  for (std::uint32_t tries = 0; tries < kWays && way == kWays; ++tries) {
    const std::uint32_t candidate = set.next++ % kWays;
    if ((set.pinned >> candidate & 1U) == 0) {
      way = candidate;
      write(set.ways[way], text);
    }
  }
  TraceState made;
  if (way != kWays) {
    if (pinned) set.pinned |= static_cast<std::uint8_t>(1U << way);
    made = handle(set_index * kWays + way, set.ways[way].version.load(std::memory_order_relaxed));
  }
  set.writing.store(false, std::memory_order_release);
  return made;
}

void TraceStateTable::write(Entry& entry, std::string_view text) noexcept {
  entry.version.fetch_add(1, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_release);  // with the fence in read()
  for (std::size_t i = 0; i < text.size(); i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + i, std::min<std::size_t>(8, text.size() - i));
    entry.words[i / 8].store(word, std::memory_order_relaxed);
  }
  entry.size.store(static_cast<std::uint32_t>(text.size()), std::memory_order_relaxed);
  entry.version.fetch_add(1, std::memory_order_release);  // with the first load in read()
}

std::size_t TraceStateTable::read(TraceState state, char* out) const noexcept {
  if (state.handle == 0) return 0;
  const std::uint32_t index = state.handle & ((1U << kIndexBits) - 1);
  const Entry& entry = sets_[index / kWays].ways[index % kWays];
  const std::uint32_t version = entry.version.load(std::memory_order_acquire);  // with write()
  if ((version & 1U) != 0 || handle(index, version) != state) return 0;
  const std::size_t size = entry.size.load(std::memory_order_relaxed);
  for (std::size_t i = 0; i < size; i += 8) {
    const std::uint64_t word = entry.words[i / 8].load(std::memory_order_relaxed);
    std::memcpy(out + i, &word, 8);
  }
  std::atomic_thread_fence(std::memory_order_acquire);  // with the fence in write()
  return entry.version.load(std::memory_order_relaxed) == version ? size : 0;
}

TraceStateTable& tracestates() noexcept {
  static constinit TraceStateTable table;  // a megabyte of zero pages, resident only where used
  return table;
}

}  // namespace alphaswarm::observability::sdk
