#pragma once

#include "alphaswarm/observability/api/provider.hpp"
#include "alphaswarm/persistence/observer.hpp"

namespace alphaswarm::instrumentation {

// A CLIENT span for each statement, named "{operation} {target}", as the stable database
// conventions say. The text is recorded as it was prepared: with placeholders, never with values.
class TracingSqlObserver final : public persistence::SqlObserver {
 public:
  // `provider` null: that of the current context, else the process default. `roots` false: a
  // statement outside any trace (a poll, a migration) does not start one.
  explicit TracingSqlObserver(observability::TracerProvider* provider = nullptr, bool roots = true)
      : provider_(provider), roots_(roots) {}

  persistence::ObserverToken started(
      const persistence::SqlStatementInfo& statement) noexcept override;
  void finished(persistence::ObserverToken token, const Error* error,
                std::string_view sqlstate) noexcept override;

 private:
  observability::TracerProvider* provider_;
  bool roots_;
};

}  // namespace alphaswarm::instrumentation
