#include "alphaswarm/instrumentation/sql.hpp"

#include <string>

#include "alphaswarm/observability/api/propagation.hpp"
#include "alphaswarm/observability/tracing.hpp"

namespace alphaswarm::instrumentation {
namespace otel = alphaswarm::observability;

persistence::ObserverToken TracingSqlObserver::started(
    const persistence::SqlStatementInfo& statement) noexcept {
  if (!roots_ && !otel::current_context().is_valid()) return nullptr;
  std::string name(statement.operation);
  if (!statement.target.empty()) name.append(" ").append(statement.target);
  otel::SpanOptions options;
  options.kind = otel::SpanKind::client;
  options.provider = provider_;
  otel::Span span = otel::span(name, options);
  if (span.recording()) {
    if (statement.operation == "connect") {  // no operation of the database's language
      span.set("db.system.name", statement.system);
    } else {
      span.set({{"db.system.name", statement.system},
                {"db.query.text", statement.text},
                {"db.operation.name", statement.operation}});
    }
    if (!statement.database.empty()) span.set("db.namespace", statement.database);
    if (!statement.server_address.empty()) {
      span.set(
          {{"server.address", statement.server_address}, {"server.port", statement.server_port}});
    }
    if (!statement.target.empty()) span.set("db.collection.name", statement.target);
  }
  return span.release();
}

std::string TracingSqlObserver::comment(persistence::ObserverToken token) noexcept {
  if (!comments_ || token == nullptr) return {};
  otel::Span span = otel::Span::adopt(token);
  const std::string traceparent = otel::to_traceparent(span.context());
  (void)span.release();  // `finished` gets the same token
  if (traceparent.empty()) return {};
  return "/*traceparent='" + traceparent + "'*/";
}

void TracingSqlObserver::finished(persistence::ObserverToken token, const Error* error,
                                  std::string_view sqlstate) noexcept {
  otel::Span span = otel::Span::adopt(token);
  if (error == nullptr || !span.recording()) return;
  if (!sqlstate.empty()) span.set("db.response.status_code", sqlstate);
  span.set("error.type", sqlstate.empty() ? to_string(error->code) : sqlstate);
  span.error(error->message);
}

}  // namespace alphaswarm::instrumentation
