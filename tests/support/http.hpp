#pragma once

// Blocking HTTP with JSON, for tests that talk to a process.

#include <boost/json/value.hpp>
#include <functional>
#include <string>

#include "alphaswarm/net/http_client.hpp"
#include "alphaswarm/net/runtime.hpp"

namespace alphaswarm::testing {

class Http {
 public:
  explicit Http(std::string base_url);

  struct Reply {
    int status = 0;  // 0: no answer
    std::string body;
    net::Headers headers;
    [[nodiscard]] boost::json::value json() const;  // throws if it is none
  };
  [[nodiscard]] Reply get(const std::string& path);
  [[nodiscard]] Reply post(const std::string& path, const boost::json::value& body);
  [[nodiscard]] Reply send(net::ClientRequest request);

  // Asks `path` again and again until `good` accepts the reply or 60 s have passed; the last reply.
  Reply poll(const std::string& path, const std::function<bool(const Reply&)>& good);

 private:
  std::string base_url_;
  net::Runtime runtime_{"test-http", 1};
  net::HttpClient client_{runtime_};
};

}  // namespace alphaswarm::testing
