#pragma once

#include "alphaswarm/net/http_client.hpp"
#include "alphaswarm/observability/api/provider.hpp"

namespace alphaswarm::instrumentation {

// A CLIENT span for each request sent, named by its method, as the stable HTTP conventions say. Its
// context and the task's baggage go with the request, in the forms of the provider's propagators.
// Credentials in the URL are redacted.
class TracingHttpClientObserver final : public net::HttpClientObserver {
 public:
  // `provider` null: that of the current context, else the process default.
  explicit TracingHttpClientObserver(observability::TracerProvider* provider = nullptr)
      : provider_(provider) {}

  void* started(net::HttpRequestInfo& request, int resend_count) override;
  void finished(void* token, int status, const Error* error, const net::PeerAddress& peer) override;

 private:
  observability::TracerProvider* provider_;
};

}  // namespace alphaswarm::instrumentation
