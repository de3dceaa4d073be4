#include "tests/support/http.hpp"

#include <poll.h>

#include <boost/json.hpp>
#include <chrono>
#include <utility>

namespace alphaswarm::testing {

Http::Http(std::string base_url) : base_url_(std::move(base_url)) {}

boost::json::value Http::Reply::json() const { return boost::json::parse(body); }

Http::Reply Http::get(const std::string& path) {
  net::ClientRequest request;
  request.url = base_url_ + path;
  return send(std::move(request));
}

Http::Reply Http::post(const std::string& path, const boost::json::value& body) {
  net::ClientRequest request;
  request.method = "POST";
  request.url = base_url_ + path;
  request.headers.set("content-type", "application/json");
  request.body = boost::json::serialize(body);
  return send(std::move(request));
}

Http::Reply Http::send(net::ClientRequest request) {
  auto response = net::block_on(runtime_, client_.send(std::move(request)));
  if (!response) return {.status = 0, .body = response.error().message, .headers = {}};
  return {response->status, std::move(response->body), std::move(response->headers)};
}

Http::Reply Http::poll(const std::string& path, const std::function<bool(const Reply&)>& good) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  for (;;) {
    Reply reply = get(path);
    if (good(reply) || std::chrono::steady_clock::now() > deadline) return reply;
    ::poll(nullptr, 0, 20);  // a server of another process tells nobody when it is ready
  }
}

}  // namespace alphaswarm::testing
