#include "alphaswarm/tasks/tracing.hpp"

#include "alphaswarm/observability/api/propagation.hpp"

namespace alphaswarm::tasks::tracing {
namespace {

namespace otel = alphaswarm::observability;

std::string_view text_of(Namespace name_space) {
  return name_space == Namespace::task ? "task" : "live";
}

class ContextReader final : public otel::CarrierReader {
 public:
  explicit ContextReader(const TaskMessage& message) noexcept : message_(message) {}
  [[nodiscard]] std::string get(std::string_view name) const override {
    std::string unused;
    return std::string(view(name, unused));
  }
  [[nodiscard]] std::string_view view(std::string_view name,
                                      std::string& /*scratch*/) const override {
    const auto at = message_.context.find(name);
    return at != message_.context.end() ? std::string_view(at->second) : std::string_view();
  }

 private:
  const TaskMessage& message_;
};

}  // namespace

otel::Span start_producer(const TaskMessage& message, std::string_view system) {
  otel::SpanOptions options;
  options.kind = otel::SpanKind::producer;
  return otel::span("apply_async/" + message.task, options,
                    {{"celery.action", "apply_async"},
                     {"celery.task_name", message.task},
                     {"messaging.system", system},
                     {"messaging.operation.type", "send"},
                     {"messaging.destination.name", message.queue},
                     {"messaging.message.id", message.id}});
}

void inject(TaskMessage& message) {
  const otel::SpanContext context = otel::current_context();
  // Without tracing here, what the sender wrote goes on as it is.
  if (context.is_valid()) message.context.clear();
  otel::HeadersOut carrier([&](std::string_view name, std::string_view value) {
    if (!value.empty()) message.context.insert_or_assign(std::string(name), std::string(value));
  });
  otel::inject(context, carrier);
}

otel::Extracted extract(const TaskMessage& message, const otel::TracerProvider* provider) {
  return otel::extract(ContextReader(message), provider);
}

otel::Span start_consumer(const TaskMessage& message, const otel::SpanContext& parent,
                          std::string_view hostname, otel::TracerProvider* provider) {
  const bool continues = parent.is_valid();
  otel::SpanOptions options;
  options.kind = otel::SpanKind::consumer;
  options.parent = continues ? &parent : nullptr;
  options.root = !continues;
  options.provider = provider;
  return otel::span("run/" + message.task, options,
                    {{"celery.action", "run"},
                     {"celery.task_name", message.task},
                     {"celery.hostname", hostname},
                     {"celery.retries", message.retries},
                     {"messaging.operation.type", "process"},
                     {"messaging.destination.name", message.queue},
                     {"messaging.message.id", message.id}});
}

void finish_consumer(otel::Span& span, std::string_view state, const Error* error) {
  span.set("celery.state", state);
  if (error != nullptr) span.error(error->message);
}

void retry_event(otel::Span& span, std::string_view reason) {
  span.event("retry", {{"celery.retry.reason", reason}});
}

otel::Span start_publish(Namespace name_space, std::string_view channel,
                         std::string_view payload_kind) {
  return otel::span("ws.publish", {{"alphaswarm.namespace", text_of(name_space)},
                                   {"alphaswarm.channel_id", channel},
                                   {"alphaswarm.payload_kind", payload_kind}});
}

otel::Span start_subscription(Namespace name_space, std::string_view channel) {
  otel::SpanOptions options;
  options.root = true;
  options.make_current = false;
  return otel::span(
      "ws.asubscribe", options,
      {{"alphaswarm.namespace", text_of(name_space)}, {"alphaswarm.channel_id", channel}});
}

void first_message(otel::Span& span, std::string_view traceparent, std::string_view payload_kind) {
  span.set("alphaswarm.payload_kind", payload_kind);
  span.event("ws.first_message");
  if (const auto context = otel::extract_traceparent(traceparent)) span.link(*context);
}

std::string current_traceparent() {
  const otel::SpanContext context = otel::current_context();
  return context.is_valid() ? otel::to_traceparent(context) : std::string();
}

std::string current_trace_id() {
  const otel::SpanContext context = otel::current_context();
  return context.is_valid() ? context.trace_id.to_hex() : std::string();
}

}  // namespace alphaswarm::tasks::tracing
