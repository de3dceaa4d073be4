#pragma once

// Spans: what application code uses.

#include <cstdint>
#include <exception>
#include <initializer_list>
#include <string_view>
#include <utility>

#include "alphaswarm/base/unix_nanos.hpp"
#include "alphaswarm/observability/api/attribute.hpp"
#include "alphaswarm/observability/api/span_context.hpp"
#include "alphaswarm/observability/api/switch.hpp"

namespace alphaswarm::observability {
inline namespace ALPHASWARM_OTEL_NAMESPACE {

class PreparedAttributes;
class Span;
class TracerProvider;
struct SpanOptions;

namespace detail {
class ProviderCore;
struct TracerTarget {
  ProviderCore* provider = nullptr;  // never freed
  std::uint32_t scope = 0;
};
}  // namespace detail

// Starts the spans of one library or component: they carry its name, version and attributes as
// their instrumentation scope, by which viewers tell them apart. A value of two words that stays
// valid as long as the process; get it once and keep it, for looking one up takes a lock.
//
//   static const auto kTracer = observability::tracer("orders", "1.2");
//   auto span = kTracer.span("submit");
class Tracer {
 public:
  constexpr Tracer() noexcept = default;  // as without a tracer
  constexpr explicit Tracer(detail::TracerTarget target) noexcept : target_(target) {}

  // As the functions of that name below.
  [[nodiscard]] Span span(std::string_view name, Attributes attributes = {}) const noexcept;
  [[nodiscard]] Span span(std::string_view name, const SpanOptions& options,
                          Attributes attributes = {}) const noexcept;

  [[nodiscard]] constexpr detail::TracerTarget target() const noexcept { return target_; }

 private:
  detail::TracerTarget target_;
};

struct SpanOptions {
  SpanKind kind = SpanKind::internal;
  // An explicit parent, remote or local; null: the current span of the task, if any.
  const SpanContext* parent = nullptr;
  bool root = false;       // start a new trace whatever is current
  UnixNanos start_time{};  // 0: now
  // Null: the provider of the current context, else the process default.
  TracerProvider* provider = nullptr;
  bool make_current = true;  // children of this task attach to it until it ends
  // Gives the scope, and the provider if it is one's own and the above is null.
  Tracer tracer{};
};

namespace detail {

// A handle is the address of a span's slot, with the slot's generation in the upper 16 bits and
// the lowest bit set if the span is recorded; 0 is a span that does nothing.
using Handle = std::uintptr_t;
inline constexpr Handle kRecorded = 1;
[[nodiscard]] constexpr bool recorded(Handle span) noexcept { return (span & kRecorded) != 0; }

}  // namespace detail

#if ALPHASWARM_OTEL

namespace detail {

// How many providers accept spans. Read without a function call, so that tracing that is built in
// but not configured costs one branch.
extern int accepting_providers;
[[nodiscard]] inline bool enabled() noexcept {
  return __atomic_load_n(&accepting_providers, __ATOMIC_RELAXED) != 0;  // orders nothing
}

[[nodiscard]] Handle start_span(std::string_view name, Attributes attributes) noexcept;
[[nodiscard]] Handle start_span(std::string_view name, const SpanOptions& options,
                                Attributes attributes) noexcept;
void set_attribute(Handle span, std::string_view key, const AttributeValue& value) noexcept;
void set_attributes(Handle span, Attributes attributes) noexcept;
void set_prepared(Handle span, const PreparedAttributes& attributes) noexcept;
void add_event(Handle span, std::string_view name, Attributes attributes) noexcept;
void add_link(Handle span, const SpanContext& target, Attributes attributes) noexcept;
void set_status(Handle span, StatusCode code, std::string_view description) noexcept;
void record_exception(Handle span, std::string_view type, std::string_view message,
                      std::string_view stack) noexcept;
void record_exception(Handle span, const std::exception& error, std::string_view stack) noexcept;
void record_current_exception(Handle span) noexcept;
void update_name(Handle span, std::string_view name) noexcept;
void suspend_span(Handle span) noexcept;
void end_span(Handle span, UnixNanos at) noexcept;
[[nodiscard]] bool is_recording(Handle span) noexcept;
[[nodiscard]] SpanContext context_of(Handle span) noexcept;
[[nodiscard]] Handle current_span() noexcept;

}  // namespace detail

// One operation, open until end() or destruction. A handle of the size of a pointer, to be used
// by one task at a time; it may be moved to another task or thread. No call throws, blocks,
// allocates or makes a system call; on a span that is not recorded all of them do nothing.
class [[nodiscard]] Span {
 public:
  Span() noexcept = default;  // does nothing
  Span(Span&& other) noexcept : handle_(std::exchange(other.handle_, 0)) {}
  Span& operator=(Span&& other) noexcept {
    if (this != &other) {
      end();
      handle_ = std::exchange(other.handle_, 0);
    }
    return *this;
  }
  Span(const Span&) = delete;
  Span& operator=(const Span&) = delete;
  ~Span() { end(); }

  // Sets an attribute; the same key again overwrites.
  Span& set(std::string_view key, const AttributeValue& value) noexcept {
    if (detail::recorded(handle_)) detail::set_attribute(handle_, key, value);
    return *this;
  }
  // Several at once, which is cheaper: span.set({{"side", "buy"}, {"quantity", 57}});
  Span& set(Attributes attributes) noexcept {
    if (detail::recorded(handle_)) detail::set_attributes(handle_, attributes);
    return *this;
  }
  // Encoded beforehand: see prepared_attributes.hpp.
  Span& set(const PreparedAttributes& attributes) noexcept {
    if (detail::recorded(handle_)) detail::set_prepared(handle_, attributes);
    return *this;
  }
  Span& event(std::string_view name, Attributes attributes = {}) noexcept {
    if (detail::recorded(handle_)) detail::add_event(handle_, name, attributes);
    return *this;
  }
  // An invalid target is ignored.
  Span& link(const SpanContext& target, Attributes attributes = {}) noexcept {
    if (detail::recorded(handle_)) detail::add_link(handle_, target, attributes);
    return *this;
  }
  // Ok is final; unset never replaces another; the description is kept for errors only.
  Span& status(StatusCode code, std::string_view description = {}) noexcept {
    if (detail::recorded(handle_)) detail::set_status(handle_, code, description);
    return *this;
  }
  Span& error(std::string_view description) noexcept {
    return status(StatusCode::error, description);
  }
  // Adds the event `exception` and sets status error. Called in a handler, it also marks that
  // exception as recorded: outer spans that see it too only set their status. C++ exceptions carry
  // no stack; `stack` is for those that have one, as text.
  Span& record_exception(std::string_view type, std::string_view message,
                         std::string_view stack = {}) noexcept {
    if (detail::recorded(handle_)) detail::record_exception(handle_, type, message, stack);
    return *this;
  }
  Span& record_exception(const std::exception& error, std::string_view stack = {}) noexcept {
    if (detail::recorded(handle_)) detail::record_exception(handle_, error, stack);
    return *this;
  }
  // In a handler: records the exception being handled unless an inner span has; sets status error.
  Span& record_current_exception() noexcept {
    if (detail::recorded(handle_)) detail::record_current_exception(handle_);
    return *this;
  }
  Span& update_name(std::string_view name) noexcept {
    if (detail::recorded(handle_)) detail::update_name(handle_, name);
    return *this;
  }

  [[nodiscard]] bool recording() const noexcept {
    return detail::recorded(handle_) && detail::is_recording(handle_);
  }
  // Invalid if this span does nothing.
  [[nodiscard]] SpanContext context() const noexcept {
    return handle_ != 0 ? detail::context_of(handle_) : SpanContext{};
  }

  // Its parent is current again in this task, but the span stays open: for an operation that
  // outlives its scope, such as an order waiting for its fill.
  void suspend() noexcept {
    if (handle_ != 0) detail::suspend_span(handle_);
  }
  // Ends now, or at the given time (not before its start). Later calls do nothing.
  void end(UnixNanos at = {}) noexcept {
    if (handle_ != 0) detail::end_span(std::exchange(handle_, 0), at);
  }

  // Passes the span through an opaque pointer, e.g. an observer's token. adopt() each released
  // token exactly once; a second time is counted as misuse and does nothing.
  [[nodiscard]] void* release() noexcept {
    return reinterpret_cast<void*>(std::exchange(handle_, 0));
  }
  [[nodiscard]] static Span adopt(void* token) noexcept {
    return Span(reinterpret_cast<detail::Handle>(token));
  }

 private:
  friend Span span(std::string_view name, Attributes attributes) noexcept;
  friend Span span(std::string_view name, const SpanOptions& options,
                   Attributes attributes) noexcept;
  explicit Span(detail::Handle handle) noexcept : handle_(handle) {}

  detail::Handle handle_ = 0;
};

// Starts a span: a child of the one current in this task, and current itself until it ends. With
// no provider anywhere it does nothing.
[[nodiscard]] inline Span span(std::string_view name, Attributes attributes = {}) noexcept {
  return Span(detail::enabled() ? detail::start_span(name, attributes) : 0);
}
[[nodiscard]] inline Span span(std::string_view name, const SpanOptions& options,
                               Attributes attributes = {}) noexcept {
  return Span(detail::enabled() ? detail::start_span(name, options, attributes) : 0);
}

inline Span Tracer::span(std::string_view name, Attributes attributes) const noexcept {
  if (!detail::enabled()) return {};
  SpanOptions options;
  options.tracer = *this;
  return observability::span(name, options, attributes);
}
inline Span Tracer::span(std::string_view name, const SpanOptions& options,
                         Attributes attributes) const noexcept {
  if (!detail::enabled()) return {};
  SpanOptions own = options;
  own.tracer = *this;
  return observability::span(name, own, attributes);
}

// A tracer without a provider of its own: its spans are recorded by that of the context they start
// in. For libraries; see TracerProvider::tracer() for the other kind. At most 1,024 different
// scopes of 4 KiB are kept in a process: what is beyond has the default one, and is counted.
[[nodiscard]] Tracer tracer(std::string_view name, std::string_view version = {},
                            Attributes attributes = {}, std::string_view schema_url = {});

// Of the span current in this task; invalid if there is none.
[[nodiscard]] SpanContext current_context() noexcept;

// On the span current in this task, if this task started it; a task that merely inherited it
// cannot write to it safely, so that such calls do nothing and are counted.
inline void set_on_current(std::string_view key, const AttributeValue& value) noexcept {
  if (!detail::enabled()) return;
  if (const detail::Handle span = detail::current_span(); span != 0) {
    detail::set_attribute(span, key, value);
  }
}
inline void event_on_current(std::string_view name, Attributes attributes = {}) noexcept {
  if (!detail::enabled()) return;
  if (const detail::Handle span = detail::current_span(); span != 0) {
    detail::add_event(span, name, attributes);
  }
}

// Asks the flight recorder for the trace of the span current in this task, which then has a child
// span `trigger` with the reason. Takes no lock; does nothing without a current span.
void trigger(std::string_view reason) noexcept;

#else

class [[nodiscard]] Span {
 public:
  Span() noexcept = default;
  Span(Span&&) noexcept = default;
  Span& operator=(Span&&) noexcept = default;
  Span(const Span&) = delete;
  Span& operator=(const Span&) = delete;
  ~Span() {}  // user-provided: an unused span variable must not warn

  Span& set(std::string_view, const AttributeValue&) noexcept { return *this; }
  Span& set(Attributes) noexcept { return *this; }
  Span& set(const PreparedAttributes&) noexcept { return *this; }
  Span& event(std::string_view, Attributes = {}) noexcept { return *this; }
  Span& link(const SpanContext&, Attributes = {}) noexcept { return *this; }
  Span& status(StatusCode, std::string_view = {}) noexcept { return *this; }
  Span& error(std::string_view) noexcept { return *this; }
  Span& record_exception(std::string_view, std::string_view, std::string_view = {}) noexcept {
    return *this;
  }
  Span& record_exception(const std::exception&, std::string_view = {}) noexcept { return *this; }
  Span& record_current_exception() noexcept { return *this; }
  Span& update_name(std::string_view) noexcept { return *this; }
  [[nodiscard]] bool recording() const noexcept { return false; }
  [[nodiscard]] SpanContext context() const noexcept { return {}; }
  void suspend() noexcept {}
  void end(UnixNanos = {}) noexcept {}
  [[nodiscard]] void* release() noexcept { return nullptr; }
  [[nodiscard]] static Span adopt(void*) noexcept { return {}; }
};

[[nodiscard]] inline Span span(std::string_view, Attributes = {}) noexcept { return {}; }
[[nodiscard]] inline Span span(std::string_view, const SpanOptions&, Attributes = {}) noexcept {
  return {};
}
inline Span Tracer::span(std::string_view, Attributes) const noexcept { return {}; }
inline Span Tracer::span(std::string_view, const SpanOptions&, Attributes) const noexcept {
  return {};
}
[[nodiscard]] inline Tracer tracer(std::string_view, std::string_view = {}, Attributes = {},
                                   std::string_view = {}) {
  return {};
}
[[nodiscard]] inline SpanContext current_context() noexcept { return {}; }
inline void set_on_current(std::string_view, const AttributeValue&) noexcept {}
inline void event_on_current(std::string_view, Attributes = {}) noexcept {}
inline void trigger(std::string_view) noexcept {}

#endif

}  // namespace ALPHASWARM_OTEL_NAMESPACE
}  // namespace alphaswarm::observability
