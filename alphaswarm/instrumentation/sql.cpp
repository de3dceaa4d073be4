#include "alphaswarm/instrumentation/sql.hpp"

#include <memory>
#include <string>
#include <vector>

#include "alphaswarm/observability/api/prepared_attributes.hpp"
#include "alphaswarm/observability/api/propagation.hpp"
#include "alphaswarm/observability/tracing.hpp"

namespace alphaswarm::instrumentation {
namespace otel = alphaswarm::observability;
namespace {

// What all spans of a statement have in common, which is everything but how it ends.
struct Description {
  explicit Description(const persistence::SqlStatementInfo& statement) : name(statement.operation) {
    std::vector<otel::Attribute> all = {{"db.system.name", statement.system}};
    if (statement.operation != "connect") {  // no operation of the database's language
      all.push_back({"db.query.text", statement.text});
      all.push_back({"db.operation.name", statement.operation});
    }
    if (!statement.database.empty()) all.push_back({"db.namespace", statement.database});
    if (!statement.server_address.empty()) {
      all.push_back({"server.address", statement.server_address});
      all.push_back({"server.port", statement.server_port});
    }
    if (!statement.target.empty()) {
      name.append(" ").append(statement.target);
      all.push_back({"db.collection.name", statement.target});
    }
    attributes = otel::PreparedAttributes(all);
  }

  std::string name;
  otel::PreparedAttributes attributes;
};

}  // namespace

persistence::ObserverToken TracingSqlObserver::started(
    const persistence::SqlStatementInfo& statement) noexcept {
  if (!roots_ && !otel::current_context().is_valid()) return nullptr;
  std::shared_ptr<void> own;
  std::shared_ptr<void>& notes = statement.notes != nullptr ? *statement.notes : own;
  if (notes == nullptr) notes = std::make_shared<Description>(statement);
  const auto& known = *static_cast<const Description*>(notes.get());
  otel::SpanOptions options;
  options.kind = otel::SpanKind::client;
  options.provider = provider_;
  otel::Span span = otel::span(known.name, options);
  span.set(known.attributes);
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
