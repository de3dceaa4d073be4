#pragma once

#include <memory>
#include <string>

#include "alphaswarm/instrumentation/url_filter.hpp"
#include "alphaswarm/net/http_server.hpp"
#include "alphaswarm/observability/api/provider.hpp"

namespace alphaswarm::instrumentation {

// A SERVER span for each request, as the stable HTTP conventions say: named "{METHOD} {route}", a
// child of the caller's span as the provider's propagators find it, current while the handler runs;
// so is the caller's baggage. Responses get `traceresponse` (W3C) and `x-trace-id`. Nothing of an
// excluded URL is recorded, its handler's spans included.
class TracingHttpServerObserver final : public net::HttpServerObserver {
 public:
  // `provider` null: the process default. A provider MUST outlive the observer.
  explicit TracingHttpServerObserver(observability::TracerProvider* provider = nullptr,
                                     UrlFilter excluded = {});

  net::ObserverToken started(const net::HttpRequest& request,
                             std::shared_ptr<void>& notes) override;
  void responding(net::ObserverToken token, const net::HttpRequest& request,
                  const net::HttpResponse& response, std::string& fields) override;
  void finished(net::ObserverToken token, int status, const Error* error) override;

 private:
  observability::TracerProvider* provider_;
  UrlFilter excluded_;
};

}  // namespace alphaswarm::instrumentation
