#include "alphaswarm/observability/export/console.hpp"

#include <algorithm>
#include <cstdio>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "alphaswarm/observability/sdk/resource.hpp"
#include "alphaswarm/otlp/views.hpp"

namespace alphaswarm::observability {
namespace {

std::string duration_text(std::uint64_t ns) {
  char text[32];
  if (ns < 1'000) {
    std::snprintf(text, sizeof text, "%llu ns", static_cast<unsigned long long>(ns));
  } else if (ns < 1'000'000) {
    std::snprintf(text, sizeof text, "%.1f µs", static_cast<double>(ns) / 1e3);
  } else if (ns < 1'000'000'000) {
    std::snprintf(text, sizeof text, "%.1f ms", static_cast<double>(ns) / 1e6);
  } else {
    std::snprintf(text, sizeof text, "%.3f s", static_cast<double>(ns) / 1e9);
  }
  return text;
}

// That of spans without a tracer goes without saying.
const std::string kOwnScope = sdk::encode_scope();

std::string line_of(const otlp::TraceBatch& batch, const otlp::SpanView& span) {
  std::string text = "span ";
  text.append(batch.resource_of(span).service_name).append(" \"");
  text.append(span.name).append("\" ").append(otlp::to_string(span.kind)).append(" ");
  text.append(duration_text(span.duration_ns())).append(" ");
  text.append(otlp::to_string(span.status)).append(" trace=").append(span.trace_id.to_hex());
  text.append(" span=").append(span.span_id.to_hex());
  if (span.parent_span_id.is_valid()) text.append(" parent=").append(span.parent_span_id.to_hex());
  const otlp::ScopeView& scope = batch.scopes[span.scope];
  if (scope.encoded != kOwnScope) {
    text.append(" scope=").append(scope.name);
    if (!scope.version.empty()) text.append("/").append(scope.version);
  }
  for (const otlp::KeyValueView pair : span.attributes()) {
    text.append(" ").append(pair.key()).append("=").append(otlp::to_text(pair.value()));
  }
  for (const otlp::EventView event : span.events()) {
    text.append(" [").append(event.name).append("]");
  }
  return text += '\n';
}

}  // namespace

SinkResult ConsoleSink::send(const Batch& batch, std::chrono::milliseconds) {
  const std::string text = to_tree(batch.request.joined());
  std::fwrite(text.data(), 1, text.size(), stderr);
  return {};
}

std::string ConsoleSink::to_tree(std::string_view request) {
  const auto parsed = otlp::parse_trace_request(SharedBytes(std::string(request)));
  if (!parsed) return parsed.error().message + '\n';
  std::vector<const otlp::SpanView*> spans;
  std::unordered_map<SpanId, std::vector<const otlp::SpanView*>> children;
  std::unordered_set<SpanId> known;
  for (const otlp::SpanView& span : parsed->spans) {
    spans.push_back(&span);
    known.insert(span.span_id);
  }
  // Of equal starts in the order they came in: they lie in one array.
  std::ranges::sort(spans, [](const otlp::SpanView* a, const otlp::SpanView* b) {
    return a->start_ns != b->start_ns ? a->start_ns < b->start_ns : a < b;
  });
  std::vector<std::pair<const otlp::SpanView*, std::size_t>> open;  // with their depths
  for (const otlp::SpanView* span : spans) children[span->parent_span_id].push_back(span);
  std::string text;
  for (const otlp::SpanView* root : spans) {
    if (known.contains(root->parent_span_id)) continue;
    open.emplace_back(root, 0);
    while (!open.empty()) {
      const auto [span, depth] = open.back();
      open.pop_back();
      text.append(2 * depth, ' ').append(line_of(*parsed, *span));
      // Taken out, so that ids that form a circle come once.
      const auto below = std::exchange(children[span->span_id], {});
      for (std::size_t i = below.size(); i-- > 0;) open.emplace_back(below[i], depth + 1);
    }
  }
  return text;
}

}  // namespace alphaswarm::observability
