#include "alphaswarm/observability/tracing.hpp"

namespace alphaswarm::observability {
inline namespace ALPHASWARM_OTEL_NAMESPACE {
namespace detail {
Handle start_span(std::string_view, const SpanOptions*, Attributes) noexcept { return 0; }
void set_attribute(Handle, std::string_view, const AttributeValue&) noexcept {}
void add_event(Handle, std::string_view, Attributes) noexcept {}
void add_link(Handle, const SpanContext&, Attributes) noexcept {}
void set_status(Handle, StatusCode, std::string_view) noexcept {}
void record_exception(Handle, std::string_view, std::string_view) noexcept {}
void record_exception(Handle, const std::exception&) noexcept {}
void record_current_exception(Handle) noexcept {}
void update_name(Handle, std::string_view) noexcept {}
void suspend_span(Handle) noexcept {}
void end_span(Handle, UnixNanos) noexcept {}
bool is_recording(Handle) noexcept { return false; }
SpanContext context_of(Handle) noexcept { return {}; }
Handle current_span() noexcept { return 0; }
}  // namespace detail
SpanContext current_context() noexcept { return {}; }
std::optional<SpanContext> extract_traceparent(std::string_view, std::string_view) { return {}; }
std::string to_traceparent(const SpanContext&) { return {}; }
std::string to_tracestate(const SpanContext&) { return {}; }
std::string to_traceresponse(const SpanContext&) { return {}; }
Result<std::unique_ptr<TracerProvider>> TracerProvider::create(Config) {
  return std::unique_ptr<TracerProvider>(new TracerProvider(nullptr));
}
TracerProvider::~TracerProvider() = default;
bool TracerProvider::force_flush(std::int64_t) { return true; }
bool TracerProvider::shutdown(std::int64_t) { return true; }
Stats TracerProvider::stats() const { return {}; }
std::string_view TracerProvider::service_name() const noexcept { return {}; }
void TracerProvider::install_as_default() noexcept {}
Result<Tracing> configure_tracing(Config config) {
  auto made = TracerProvider::create(std::move(config));
  if (!made) return std::unexpected(made.error());
  return Tracing(std::move(*made));
}
}  // namespace ALPHASWARM_OTEL_NAMESPACE
Result<Config> config_from_environment(const config::Environment&, std::string_view) {
  return Config{};
}
}  // namespace alphaswarm::observability
