#include "alphaswarm/observability/api/propagators.hpp"

#if ALPHASWARM_OTEL

#include <optional>

#include "alphaswarm/base/task_local.hpp"
#include "alphaswarm/observability/api/propagation.hpp"
#include "alphaswarm/observability/sdk/context.hpp"
#include "alphaswarm/observability/sdk/provider_core.hpp"

namespace alphaswarm::observability::inline ALPHASWARM_OTEL_NAMESPACE {
namespace {

// The part up to the next separator, which is taken off.
std::string_view next_part(std::string_view& text, char separator) {
  const std::size_t at = text.find(separator);
  const std::string_view part = text.substr(0, at);
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
  return part;
}

std::optional<SpanContext> context_of(std::string_view trace, std::string_view span, bool sampled) {
  const auto trace_id = TraceId::from_hex(trace);
  const auto span_id = SpanId::from_hex(span);
  if (!trace_id || !span_id) return {};
  SpanContext context;
  context.trace_id = *trace_id;
  context.span_id = *span_id;
  context.flags = sampled ? SpanContext::kSampled : std::uint8_t{0};
  context.remote = true;
  if (!context.is_valid()) return {};
  return context;
}

// Source: https://github.com/openzipkin/b3-propagation. Without a decision it is "not sampled", as
// in other SDKs; a decision without ids is no parent.
std::optional<SpanContext> b3_of(std::string_view trace, std::string_view span,
                                 std::string_view sampled) {
  if ((trace.size() != 32 && trace.size() != 16) || span.size() != 16) return {};
  const bool yes = sampled == "1" || sampled == "d" || sampled == "true";
  if (!yes && !sampled.empty() && sampled != "0" && sampled != "false") return {};
  return context_of(trace, span, yes);
}

std::optional<SpanContext> read_b3(const CarrierReader& carrier) {
  const std::string single = carrier.get("b3");
  std::string_view rest = single;
  const std::string_view trace = next_part(rest, '-');
  const std::string_view span = next_part(rest, '-');
  if (const auto found = b3_of(trace, span, next_part(rest, '-'))) return found;
  const std::string debug = carrier.get("x-b3-flags");
  const std::string sampled = debug == "1" ? "d" : carrier.get("x-b3-sampled");
  return b3_of(carrier.get("x-b3-traceid"), carrier.get("x-b3-spanid"), sampled);
}

// Source: https://www.jaegertracing.io/sdk-migration/#propagation-format. Leading zeros may be
// left out, and colons may come percent-encoded.
std::optional<SpanContext> read_jaeger(const CarrierReader& carrier) {
  std::string text = carrier.get("uber-trace-id");
  for (std::size_t at = 0; (at = text.find("%3A")) != std::string::npos;) text.replace(at, 3, ":");
  std::string_view rest = text;
  const std::string_view trace = next_part(rest, ':');
  const std::string_view span = next_part(rest, ':');
  static_cast<void>(next_part(rest, ':'));  // the parent's id: deprecated, ignored
  const auto flags = SpanId::from_hex(rest);
  if (!flags || rest.size() > 2) return {};
  return context_of(trace, span, (flags->bytes[7] & 1U) != 0);
}

void write_b3(const SpanContext& context, CarrierWriter& carrier) {
  carrier.set("b3", context.trace_id.to_hex() + '-' + context.span_id.to_hex() +
                        (context.sampled() ? "-1" : "-0"));
}

void write_b3_multi(const SpanContext& context, CarrierWriter& carrier) {
  carrier.set("x-b3-traceid", context.trace_id.to_hex());
  carrier.set("x-b3-spanid", context.span_id.to_hex());
  carrier.set("x-b3-sampled", context.sampled() ? "1" : "0");
}

void write_jaeger(const SpanContext& context, CarrierWriter& carrier) {
  carrier.set("uber-trace-id", context.trace_id.to_hex() + ':' + context.span_id.to_hex() +
                                   (context.sampled() ? ":0:1" : ":0:0"));
}

const std::vector<Propagator>& propagators_of(const TracerProvider* provider) {
  static const std::vector<Propagator> kW3c = Config().propagators;
  if (provider != nullptr) return provider->core().config.propagators;
  const detail::SlotContext& current = detail::context_in(current_task_slot());
  const detail::ProviderCore* core = current.valid ? current.provider : nullptr;
  if (core == nullptr) {
    core = detail::default_provider.load(std::memory_order_acquire);  // with install_as_default()
  }
  return core != nullptr ? core->config.propagators : kW3c;
}

}  // namespace

Extracted extract(const CarrierReader& carrier, const TracerProvider* provider) {
  return extract(carrier, propagators_of(provider));
}

Extracted extract(const CarrierReader& carrier, const std::vector<Propagator>& by) {
  Extracted found;
  std::string scratch;
  std::string more;
  for (const Propagator one : by) {
    std::optional<SpanContext> context;
    switch (one) {
      case Propagator::trace_context:
        context = extract_traceparent(carrier.view("traceparent", scratch),
                                      carrier.view("tracestate", more));
        break;
      case Propagator::baggage:
        if (const std::string_view text = carrier.view("baggage", scratch); !text.empty()) {
          found.baggage = Baggage::from_header(text);
        }
        break;
      case Propagator::b3:
      case Propagator::b3_multi:
        context = read_b3(carrier);
        break;
      case Propagator::jaeger:
        context = read_jaeger(carrier);
        break;
    }
    if (context) found.parent = *context;
  }
  return found;
}

void inject(const SpanContext& context, CarrierWriter& carrier, const TracerProvider* provider) {
  inject(context, current_baggage(), carrier, propagators_of(provider));
}

void inject(const SpanContext& context, const Baggage& baggage, CarrierWriter& carrier,
            const std::vector<Propagator>& by) {
  for (const Propagator one : by) {
    if (one == Propagator::baggage && !baggage.empty()) carrier.set("baggage", baggage.to_header());
    if (one == Propagator::baggage || !context.is_valid()) continue;
    switch (one) {
      case Propagator::trace_context:
        carrier.set("traceparent", to_traceparent(context));
        carrier.set("tracestate", to_tracestate(context));
        break;
      case Propagator::b3:
        write_b3(context, carrier);
        break;
      case Propagator::b3_multi:
        write_b3_multi(context, carrier);
        break;
      case Propagator::jaeger:
        write_jaeger(context, carrier);
        break;
      case Propagator::baggage:
        break;
    }
  }
}

}  // namespace alphaswarm::observability::inline ALPHASWARM_OTEL_NAMESPACE

#endif
