#include "alphaswarm/api/routes/context.hpp"

#include <utility>

#include "alphaswarm/net/runtime.hpp"

namespace alphaswarm::api {
namespace {

net::task<net::HttpResponse> answer(PlainRoute route, const ApiDependencies& service,
                                    const net::HttpRequest& request) {
  co_return co_await net::blocking([&] { return route(service, request); });
}

net::task<net::HttpResponse> answer_at_once(PlainRoute route, const ApiDependencies& service,
                                            const net::HttpRequest& request) {
  co_return route(service, request);
}

}  // namespace

net::Handler handler(Context context, PlainRoute route) {
  return [context = std::move(context), route](const net::HttpRequest& request) {
    return answer(route, *context, request);
  };
}

net::Handler quick_handler(Context context, PlainRoute route) {
  return [context = std::move(context), route](const net::HttpRequest& request) {
    return answer_at_once(route, *context, request);
  };
}

net::Handler handler(Context context, TaskRoute route) {
  return [context = std::move(context), route](const net::HttpRequest& request) {
    return route(*context, request);
  };
}

}  // namespace alphaswarm::api
