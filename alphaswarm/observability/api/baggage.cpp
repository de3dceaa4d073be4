#include "alphaswarm/observability/api/baggage.hpp"

#include <algorithm>
#include <cstring>

#include "alphaswarm/observability/export/otlp_response.hpp"
#if ALPHASWARM_OTEL
#include "alphaswarm/observability/sdk/baggage_table.hpp"
#include "alphaswarm/observability/sdk/context.hpp"
#endif

namespace alphaswarm::observability::inline ALPHASWARM_OTEL_NAMESPACE {
namespace {

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool is_token(std::string_view text) {
  constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::ranges::all_of(text, [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           kOthers.find(c) != std::string_view::npos;
  });
}

// baggage-octet: printable ASCII but '"', ',', ';' and '\'. '%' begins an escape.
bool is_octet(char c) {
  return c > ' ' && c < 127 && c != '"' && c != ',' && c != ';' && c != '\\';
}

void append_encoded(std::string& out, std::string_view value) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  for (const char c : value) {
    if (is_octet(c) && c != '%') {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kDigits[byte >> 4U];
    out += kDigits[byte & 15U];
  }
}

void append_member(std::string& out, const Baggage::Member& member) {
  if (!out.empty()) out += ',';
  out.append(member.key) += '=';
  append_encoded(out, member.value);
  if (!member.properties.empty()) out.append(1, ';').append(member.properties);
}

}  // namespace

const std::string* Baggage::find(std::string_view key) const noexcept {
  const auto at = std::ranges::find(members_, key, &Member::key);
  return at != members_.end() ? &at->value : nullptr;
}

bool Baggage::set(std::string_view key, std::string_view value) {
  return is_token(key) && put({std::string(key), std::string(value), {}});
}

bool Baggage::put(Member member) {
  std::vector<Member> changed = members_;
  const auto at = std::ranges::find(changed, member.key, &Member::key);
  if (at != changed.end()) {
    *at = std::move(member);
  } else {
    changed.push_back(std::move(member));
  }
  if (changed.size() > kMaxMembers) return false;
  std::swap(members_, changed);
  if (to_header().size() <= kMaxBytes) return true;
  std::swap(members_, changed);
  return false;
}

void Baggage::remove(std::string_view key) {
  std::erase_if(members_, [&](const Member& member) { return member.key == key; });
}

Baggage Baggage::from_header(std::string_view header) {
  Baggage baggage;
  // A header many times the limit is not even looked through.
  header = header.substr(0, 4 * kMaxBytes);
  while (!header.empty()) {
    const std::size_t comma = header.find(',');
    const std::string_view one = trim(header.substr(0, comma));
    header.remove_prefix(comma == std::string_view::npos ? header.size() : comma + 1);
    const std::size_t semicolon = one.find(';');
    const std::string_view pair = one.substr(0, semicolon);
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view key = trim(pair.substr(0, equals));
    const std::string_view value = trim(pair.substr(equals + 1));
    const std::string_view properties =
        semicolon == std::string_view::npos ? std::string_view() : trim(one.substr(semicolon + 1));
    const bool printable =
        std::ranges::all_of(properties, [](char c) { return c >= ' ' && c < 127; });
    if (!is_token(key) || !std::ranges::all_of(value, is_octet) || !printable) continue;
    static_cast<void>(
        baggage.put({std::string(key), percent_decode(value), std::string(properties)}));
  }
  return baggage;
}

std::string Baggage::to_header() const {
  std::string header;
  for (const Member& member : members_) append_member(header, member);
  return header;
}

#if ALPHASWARM_OTEL

namespace {

// Behind the tracing context in the task's slot: spans do not touch it.
std::uint64_t load_handle() noexcept {
  std::uint64_t handle = 0;
  std::memcpy(&handle, current_task_slot().bytes + sizeof(detail::SlotContext), sizeof handle);
  return handle;
}

void store_handle(std::uint64_t handle) noexcept {
  static_assert(sizeof(detail::SlotContext) + sizeof handle <= TaskSlot::kSize);
  std::memcpy(current_task_slot().bytes + sizeof(detail::SlotContext), &handle, sizeof handle);
}

}  // namespace

Baggage current_baggage() {
  const std::uint64_t handle = load_handle();
  return handle == 0 ? Baggage() : Baggage::from_header(sdk::baggage_table().read(handle));
}

BaggageScope::BaggageScope(const Baggage& baggage)
    : handle_(sdk::baggage_table().hold(baggage.to_header())), previous_(load_handle()) {
  store_handle(handle_);
}

BaggageScope::~BaggageScope() {
  store_handle(previous_);
  sdk::baggage_table().release(handle_);
}

#endif

}  // namespace alphaswarm::observability::inline ALPHASWARM_OTEL_NAMESPACE
