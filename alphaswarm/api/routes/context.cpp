#include "alphaswarm/api/routes/context.hpp"

#include <utility>

namespace alphaswarm::api {
namespace {

net::task<net::HttpResponse> answer(PlainRoute route, const ApiDependencies& service,
                                    const net::HttpRequest& request) {
  co_return route(service, request);
}

}  // namespace

net::Handler handler(Context context, PlainRoute route) {
  return [context = std::move(context), route](const net::HttpRequest& request) {
    return answer(route, *context, request);
  };
}

net::Handler handler(Context context, TaskRoute route) {
  return [context = std::move(context), route](const net::HttpRequest& request) {
    return route(*context, request);
  };
}

}  // namespace alphaswarm::api
