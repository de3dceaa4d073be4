#pragma once

// Trace context and baggage across processes, in the forms a provider's configuration names
// (OTEL_PROPAGATORS): W3C trace context and baggage, B3 in one header or several, Jaeger.
//
//   otel::HeadersIn headers([&](std::string_view name) { return request.header(name); });
//   otel::Extracted from = otel::extract(headers);
//   otel::BaggageScope baggage(from.baggage);
//   auto span = otel::span("GET /", {.kind = otel::SpanKind::server, .parent = &from.parent});

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "alphaswarm/observability/api/baggage.hpp"
#include "alphaswarm/observability/api/config.hpp"
#include "alphaswarm/observability/api/span_context.hpp"
#include "alphaswarm/observability/api/switch.hpp"

namespace alphaswarm::observability {

// What a message carries its headers in. Names are given in lower case; where the carrier tells
// cases apart it must not, for HTTP does not.
class CarrierReader {
 public:
  virtual ~CarrierReader() = default;
  // Empty where there is none; several of one name joined by commas.
  [[nodiscard]] virtual std::string get(std::string_view name) const = 0;
  // The same, for a carrier that has the text already: valid while carrier and `scratch` live.
  [[nodiscard]] virtual std::string_view view(std::string_view name, std::string& scratch) const {
    scratch = get(name);
    return scratch;
  }
};
class CarrierWriter {
 public:
  virtual ~CarrierWriter() = default;
  // Replaces. An empty value takes the header out: one that came from elsewhere must not go on.
  virtual void set(std::string_view name, std::string_view value) = 0;
};

// Carriers made of a function: std::string (std::string_view name), and
// void (std::string_view name, std::string_view value).
template <class Get>
class HeadersIn final : public CarrierReader {
 public:
  explicit HeadersIn(Get get) : get_(std::move(get)) {}
  [[nodiscard]] std::string get(std::string_view name) const override {
    return std::string(get_(name));
  }

 private:
  Get get_;
};
template <class Set>
class HeadersOut final : public CarrierWriter {
 public:
  explicit HeadersOut(Set set) : set_(std::move(set)) {}
  void set(std::string_view name, std::string_view value) override { set_(name, value); }

 private:
  Set set_;
};

// Every header that extract() may ask for or inject() may write: what a carrier has to keep.
inline constexpr std::array<std::string_view, 9> kPropagationHeaders = {
    "traceparent", "tracestate",   "baggage",    "b3",           "x-b3-traceid",
    "x-b3-spanid", "x-b3-sampled", "x-b3-flags", "uber-trace-id"};

struct Extracted {
  SpanContext parent;  // invalid: a new trace begins
  Baggage baggage;
};

inline namespace ALPHASWARM_OTEL_NAMESPACE {

class TracerProvider;

#if ALPHASWARM_OTEL

// Reads what the provider's propagators know. Null: those of the provider current in this task,
// else of the process default; without one, W3C's.
// They are asked in their order; of two that find a valid context the later wins, as the
// specification has it. Both B3 propagators read both forms, the single header first.
[[nodiscard]] Extracted extract(const CarrierReader& carrier,
                                const TracerProvider* provider = nullptr);
[[nodiscard]] Extracted extract(const CarrierReader& carrier, const std::vector<Propagator>& by);

// Writes `context` in all forms the provider's propagators know (null: as above), and the baggage
// current in this task. An invalid context writes no trace headers.
void inject(const SpanContext& context, CarrierWriter& carrier,
            const TracerProvider* provider = nullptr);
void inject(const SpanContext& context, const Baggage& baggage, CarrierWriter& carrier,
            const std::vector<Propagator>& by);

#else

[[nodiscard]] inline Extracted extract(const CarrierReader&, const TracerProvider* = nullptr) {
  return {};
}
[[nodiscard]] inline Extracted extract(const CarrierReader&, const std::vector<Propagator>&) {
  return {};
}
inline void inject(const SpanContext&, CarrierWriter&, const TracerProvider* = nullptr) {}
inline void inject(const SpanContext&, const Baggage&, CarrierWriter&,
                   const std::vector<Propagator>&) {}

#endif

}  // namespace ALPHASWARM_OTEL_NAMESPACE
}  // namespace alphaswarm::observability
