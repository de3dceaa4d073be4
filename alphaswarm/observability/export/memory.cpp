#include "alphaswarm/observability/export/memory.hpp"

#include <algorithm>
#include <functional>
#include <set>

#include "alphaswarm/otlp/views.hpp"

namespace alphaswarm::observability {
namespace {

TextAttributes texts(otlp::AttributeRange range) {
  TextAttributes attributes;
  for (const otlp::KeyValueView pair : range) {
    attributes.insert_or_assign(std::string(pair.key()), otlp::to_text(pair.value()));
  }
  return attributes;
}

FinishedSpan to_finished(const otlp::TraceBatch& batch, const otlp::SpanView& view) {
  const otlp::ScopeView& scope = batch.scopes[view.scope];
  const otlp::ResourceView& resource = batch.resource_of(view);
  FinishedSpan span;
  span.service_name = resource.service_name;
  span.resource = texts(resource.attributes());
  span.scope = scope.name;
  span.scope_version = scope.version;
  span.scope_attributes = texts(scope.attributes());
  span.schema_url = scope.schema_url;
  span.trace_id = view.trace_id;
  span.span_id = view.span_id;
  span.parent_id = view.parent_span_id;
  span.tracestate = view.trace_state;
  span.name = view.name;
  span.kind = static_cast<SpanKind>(view.kind);
  span.status = static_cast<StatusCode>(view.status);
  span.status_message = view.status_message;
  span.start_ns = view.start_ns;
  span.end_ns = view.end_ns;
  span.flags = view.flags;
  span.attributes = texts(view.attributes());
  for (const otlp::EventView event : view.events()) {
    span.events.push_back({std::string(event.name), event.time_ns, texts(event.attributes()),
                           event.dropped_attributes});
  }
  for (const otlp::LinkView link : view.links()) {
    span.links.push_back({link.trace_id, link.span_id, std::string(link.trace_state), link.flags,
                          texts(link.attributes())});
  }
  span.dropped_attributes = view.dropped_attributes;
  span.dropped_events = view.dropped_events;
  span.dropped_links = view.dropped_links;
  return span;
}

}  // namespace

SinkResult MemorySink::send(const Batch& batch, std::chrono::milliseconds) {
  const std::scoped_lock lock(mutex_);
  requests_.push_back(batch.request.joined());
  return {};
}

std::vector<std::string> MemorySink::requests() const {
  const std::scoped_lock lock(mutex_);
  return requests_;
}

void MemorySink::clear() {
  const std::scoped_lock lock(mutex_);
  requests_.clear();
}

std::vector<FinishedSpan> MemorySink::spans() const {
  std::vector<FinishedSpan> spans;
  for (std::string& request : requests()) {
    const auto batch = otlp::parse_trace_request(SharedBytes(std::move(request)));
    if (!batch) continue;
    for (const otlp::SpanView& view : batch->spans) spans.push_back(to_finished(*batch, view));
  }
  return spans;
}

FinishedSpan MemorySink::find(std::string_view name) const {
  for (FinishedSpan& span : spans()) {
    if (span.name == name) return std::move(span);
  }
  return {};
}

std::string MemorySink::tree() const {
  std::vector<FinishedSpan> all = spans();
  std::sort(all.begin(), all.end(),
            [](const FinishedSpan& a, const FinishedSpan& b) { return a.start_ns < b.start_ns; });
  std::set<SpanId> known;
  for (const FinishedSpan& span : all) known.insert(span.span_id);
  std::string text;
  const std::function<void(const SpanId&, int)> add = [&](const SpanId& parent, int depth) {
    for (const FinishedSpan& span : all) {
      const bool root = !known.contains(span.parent_id);
      if (depth == 0 ? !root : root || span.parent_id != parent) continue;
      text.append(static_cast<std::size_t>(depth) * 2, ' ').append(span.name) += '\n';
      add(span.span_id, depth + 1);
    }
  };
  add({}, 0);
  return text;
}

}  // namespace alphaswarm::observability
