#pragma once

// Router, compiled: which route serves a method and path.

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "alphaswarm/base/error.hpp"
#include "alphaswarm/net/http_server.hpp"

namespace alphaswarm::net::detail {

struct RouteMatch {
  enum class Kind : unsigned char { not_found, bad_path, wrong_method, route, websocket };
  Kind kind = Kind::not_found;
  const Route* route = nullptr;
  const Router::WebSocketRoute* websocket = nullptr;
  std::string_view path_template;  // of the best path match, also for wrong_method
  std::vector<std::pair<std::string_view, std::string>> params;
  std::string allow;  // for wrong_method: "GET, HEAD, OPTIONS"
};

// Immutable once made, so any thread may match.
class RouteTable {
 public:
  // invalid_argument names the route that is malformed or there twice.
  [[nodiscard]] static Result<std::unique_ptr<const RouteTable>> make(Router router);

  // `wants_websocket`: the request asks for the upgrade.
  [[nodiscard]] RouteMatch match(std::string_view method, std::string_view path,
                                 bool wants_websocket) const;

 private:
  struct Segment {
    enum class Kind : unsigned char { literal, param, rest };  // in order of preference
    Kind kind;
    std::string_view text;
  };
  struct Pattern {
    std::string_view path;
    std::vector<Segment> segments;
    std::vector<const Route*> routes;
    const Router::WebSocketRoute* websocket = nullptr;

    [[nodiscard]] const Route* find(std::string_view method) const noexcept;
  };
  using Params = std::vector<std::pair<std::string_view, std::string>>;

  explicit RouteTable(Router router) : router_(std::move(router)) {}
  Result<void> compile();
  Result<Pattern*> pattern_of(std::string_view path);
  [[nodiscard]] static Result<std::vector<Segment>> parse(std::string_view path);
  [[nodiscard]] static bool fits(const Pattern& pattern, const std::vector<std::string>& parts,
                                 Params& params);

  Router router_;                                              // patterns refer to its strings
  std::vector<Pattern> patterns_;                              // the most specific first
  std::unordered_map<std::string_view, std::size_t> literal_;  // path → its pattern
};

}  // namespace alphaswarm::net::detail
