#pragma once

// Every span of this module, and nothing else. Names and attributes: what users of Celery's
// instrumentation expect, with the messaging conventions beside them.

#include <cstdint>
#include <string>
#include <string_view>

#include "alphaswarm/base/error.hpp"
#include "alphaswarm/observability/api/propagators.hpp"
#include "alphaswarm/observability/api/provider.hpp"
#include "alphaswarm/observability/tracing.hpp"
#include "alphaswarm/tasks/message.hpp"

namespace alphaswarm::tasks::tracing {

// `apply_async/{task}`, PRODUCER, current.
[[nodiscard]] observability::Span start_producer(const TaskMessage& message,
                                                 std::string_view system);
// Puts the current context and baggage into the message's headers, in the forms of the current
// provider's propagators; what stood there before goes.
void inject(TaskMessage& message);
// What the message carries, as `provider`'s propagators read it (null: the process default's).
[[nodiscard]] observability::Extracted extract(const TaskMessage& message,
                                               const observability::TracerProvider* provider);

// `run/{task}`, CONSUMER, current; child of `parent`, or, if that is invalid, a root.
[[nodiscard]] observability::Span start_consumer(const TaskMessage& message,
                                                 const observability::SpanContext& parent,
                                                 std::string_view hostname,
                                                 observability::TracerProvider* provider);
void finish_consumer(observability::Span& span, std::string_view state, const Error* error);
void retry_event(observability::Span& span, std::string_view reason);

enum class Namespace : std::uint8_t { task, live };

// `ws.publish`, current.
[[nodiscard]] observability::Span start_publish(Namespace name_space, std::string_view channel,
                                                std::string_view payload_kind);
// `ws.asubscribe`: a trace of its own, not current.
[[nodiscard]] observability::Span start_subscription(Namespace name_space,
                                                     std::string_view channel);
// Event ws.first_message, the kind of that message, and the link to the trace it came from.
void first_message(observability::Span& span, std::string_view traceparent,
                   std::string_view payload_kind);

// Of the current span; empty if not traced.
[[nodiscard]] std::string current_traceparent();
[[nodiscard]] std::string current_trace_id();

}  // namespace alphaswarm::tasks::tracing
