#pragma once

#include <string>

#include "alphaswarm/observability/api/provider.hpp"
#include "alphaswarm/persistence/observer.hpp"

namespace alphaswarm::instrumentation {

// A CLIENT span for each statement, named "{operation} {target}", as the stable database
// conventions say. The text is recorded as it was prepared: with placeholders, never with values.
// With comments on, each statement that goes to a server carries its span as sqlcommenter writes it
// (/*traceparent='00-…'*/), so that the server's own logs and pg_stat_activity lead to the trace.
// Such statements are sent unprepared, see persistence::SqlObserver::comment.
class TracingSqlObserver final : public persistence::SqlObserver {
 public:
  // `provider` null: that of the current context, else the process default. `roots` false: a
  // statement outside any trace (a poll, a migration) does not start one.
  explicit TracingSqlObserver(observability::TracerProvider* provider = nullptr, bool roots = true)
      : provider_(provider), roots_(roots) {}

  void set_comments(bool on) noexcept { comments_ = on; }  // before the first statement

  persistence::ObserverToken started(
      const persistence::SqlStatementInfo& statement) noexcept override;
  std::string comment(persistence::ObserverToken token) noexcept override;
  void finished(persistence::ObserverToken token, const Error* error,
                std::string_view sqlstate) noexcept override;

 private:
  observability::TracerProvider* provider_;
  bool roots_;
  bool comments_ = false;
};

}  // namespace alphaswarm::instrumentation
