#include "alphaswarm/observability/metrics/attribute_set.hpp"

#include <algorithm>

#include "alphaswarm/observability/sdk/attribute_writer.hpp"
#include "alphaswarm/otlp/any_value.hpp"
#include "alphaswarm/otlp/views.hpp"
#include "alphaswarm/otlp/wire_reader.hpp"

namespace alphaswarm::observability::metrics {
namespace detail {
namespace {
constexpr std::size_t kValueBytes = 4'096;
}

AttributeSet canonical(Attributes attributes) {
  AttributeSet set;
  if (attributes.size() == 0) return set;
  std::vector<const Attribute*> sorted;
  sorted.reserve(attributes.size());
  for (const Attribute& each : attributes) {
    if (!each.key.empty()) sorted.push_back(&each);
  }
  // Of equal keys in the order given: they lie in one array.
  std::ranges::sort(sorted, [](const Attribute* a, const Attribute* b) {
    return a->key != b->key ? a->key < b->key : a < b;
  });
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    if (i + 1 < sorted.size() && sorted[i]->key == sorted[i + 1]->key) continue;  // set again
    const sdk::PairWriter pair(1, sorted[i]->key, sorted[i]->value, kValueBytes);
    const std::size_t at = set.bytes.size();
    set.bytes.resize(at + pair.size());
    pair.put(set.bytes.data() + at);
  }
  return set;
}

void append_attributes(std::string& out, const AttributeSet& attributes, std::uint32_t field) {
  otlp::WireReader reader(attributes.bytes);
  char room[2 * otlp::kMaxVarintBytes];
  for (otlp::WireField pair; reader.next(pair);) {
    char* end = otlp::put_varint(room, otlp::tag(field, otlp::WireType::length));
    end = otlp::put_varint(end, pair.bytes.size());
    out.append(room, end).append(pair.bytes);
  }
}

std::string repaired(std::string_view text) {
  std::string out(sdk::repaired_size(text, text.size() * 3), '\0');
  sdk::write_repaired(out.data(), text, text.size() * 3);
  return out;
}

}  // namespace detail

std::map<std::string, std::string> AttributeSet::text() const {
  std::map<std::string, std::string> found;
  otlp::WireReader reader(bytes);
  for (otlp::WireField pair; reader.next(pair);) {
    const otlp::KeyValueView view(pair.bytes);
    found.emplace(view.key(), otlp::to_text(view.value()));
  }
  return found;
}

}  // namespace alphaswarm::observability::metrics
