#include "alphaswarm/observability/sdk/scope_table.hpp"

#include <algorithm>
#include <new>

#include "alphaswarm/base/counters.hpp"
#include "alphaswarm/observability/sdk/attribute_writer.hpp"
#include "alphaswarm/observability/sdk/resource.hpp"
#include "alphaswarm/observability/sdk/utf8.hpp"
#include "alphaswarm/otlp/encode.hpp"

namespace alphaswarm::observability::sdk {
namespace {

constexpr std::size_t kMaxTextBytes = 512;  // of name, version and schema URL each

std::string repaired(std::string_view text) {
  std::string out(repaired_size(text, kMaxTextBytes), '\0');
  write_repaired(out.data(), text, kMaxTextBytes);
  return out;
}

// Field numbers of opentelemetry/proto/common/v1/common.proto, message InstrumentationScope.
std::string encode(std::string_view name, std::string_view version, Attributes attributes) {
  otlp::MessageWriter head;
  if (!name.empty()) head.bytes(1, repaired(name));
  if (!version.empty()) head.bytes(2, repaired(version));
  std::string scope = head.str();
  std::uint64_t dropped = 0;
  for (const Attribute* at = attributes.begin(); at != attributes.end(); ++at) {
    const bool again = std::any_of(at + 1, attributes.end(), [&](const Attribute& later) {
      return later.key == at->key;  // the last of a key counts
    });
    if (again) continue;
    const PairWriter pair(3, at->key, at->value, kMaxTextBytes);
    if (at->key.empty() || scope.size() + pair.size() > ScopeTable::kMaxBytes) {
      ++dropped;
      continue;
    }
    const std::size_t end = scope.size();
    scope.resize(end + pair.size());
    pair.put(scope.data() + end);
  }
  return dropped == 0 ? scope : scope + otlp::MessageWriter().varint(4, dropped).str();
}

std::string fields_of(std::string_view scope, std::string_view schema_url) {
  otlp::MessageWriter fields;
  fields.bytes(1, scope);
  if (!schema_url.empty()) fields.bytes(3, repaired(schema_url));
  return fields.str();
}

}  // namespace

ScopeTable::ScopeTable() {
  entries_[0].store(new std::string(fields_of(encode_scope(), {})), std::memory_order_relaxed);
  count_ = 1;
}

ScopeTable::~ScopeTable() {
  for (const auto& entry : entries_) delete entry.load(std::memory_order_relaxed);
}

std::uint32_t ScopeTable::intern(std::string_view name, std::string_view version,
                                 Attributes attributes, std::string_view schema_url) {
  std::string wanted = fields_of(encode(name, version, attributes), schema_url);
  const std::scoped_lock lock(mutex_);
  for (std::uint32_t i = 0; i < count_; ++i) {
    if (fields(i) == wanted) return i;
  }
  if (count_ == kMaxScopes) {
    static Counter& refused =
        counter("alphaswarm_tracing_scopes_refused_total", "",
                "Tracers beyond the bound of scopes: their spans carry the default one.");
    refused.add();
    return 0;
  }
  // Releases the text to fields().
  entries_[count_].store(new std::string(std::move(wanted)), std::memory_order_release);
  return count_++;
}

void ScopeTable::reset_after_fork() noexcept { ::new (&mutex_) std::mutex; }

ScopeTable& scopes() {
  static ScopeTable* const kTable = new ScopeTable;  // leaked: used until the very end
  return *kTable;
}

}  // namespace alphaswarm::observability::sdk
