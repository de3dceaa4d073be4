#include "alphaswarm/net/detail/route_table.hpp"

#include <algorithm>
#include <memory>
#include <optional>

#include "alphaswarm/net/detail/http_codec.hpp"
#include "alphaswarm/net/url.hpp"

namespace alphaswarm::net::detail {
namespace {

std::vector<std::string_view> split(std::string_view path) {
  std::vector<std::string_view> parts;
  path.remove_prefix(1);  // the leading slash
  for (;;) {
    const std::size_t slash = path.find('/');
    parts.push_back(path.substr(0, slash));
    if (slash == std::string_view::npos) return parts;
    path.remove_prefix(slash + 1);
  }
}

std::unexpected<Error> bad_route(std::string_view path, std::string_view why) {
  return fail(ErrorCode::invalid_argument,
              "route \"" + std::string(path) + "\": " + std::string(why));
}

void append_allowed(std::string& allow, std::string_view method) {
  if (has_token(allow, method)) return;
  if (!allow.empty()) allow += ", ";
  allow += method;
}

}  // namespace

Result<std::unique_ptr<const RouteTable>> RouteTable::make(Router router) {
  std::unique_ptr<RouteTable> table(new RouteTable(std::move(router)));
  if (auto compiled = table->compile(); !compiled) return std::unexpected(compiled.error());
  return table;
}

Result<std::vector<RouteTable::Segment>> RouteTable::parse(std::string_view path) {
  if (path.empty() || path.front() != '/') return bad_route(path, "must begin with \"/\"");
  std::vector<Segment> segments;
  for (const std::string_view part : split(path)) {
    if (!segments.empty() && segments.back().kind == Segment::Kind::rest) {
      return bad_route(path, "nothing may follow a \"{name*}\"");
    }
    if (part.find_first_of("{}") == std::string_view::npos) {
      segments.push_back({Segment::Kind::literal, part});
      continue;
    }
    std::string_view name = part;
    if (!name.starts_with('{') || !name.ends_with('}')) {
      return bad_route(path, "a parameter fills a whole segment");
    }
    name.remove_prefix(1);
    name.remove_suffix(1);
    const bool rest = name.ends_with('*');
    if (rest) name.remove_suffix(1);
    if (name.empty() || name.find_first_of("{}*") != std::string_view::npos) {
      return bad_route(path, "a parameter needs a name");
    }
    segments.push_back({rest ? Segment::Kind::rest : Segment::Kind::param, name});
  }
  return segments;
}

Result<RouteTable::Pattern*> RouteTable::pattern_of(std::string_view path) {
  auto segments = parse(path);
  if (!segments) return std::unexpected(segments.error());
  // Equal but for parameter names: the same requests fit both.
  const auto same = [&](const Pattern& pattern) {
    return std::ranges::equal(pattern.segments, *segments, [](const Segment& a, const Segment& b) {
      return a.kind == b.kind && (a.kind != Segment::Kind::literal || a.text == b.text);
    });
  };
  const auto found = std::ranges::find_if(patterns_, same);
  if (found != patterns_.end()) {
    if (found->path != path) {
      return bad_route(path, "fits the same paths as \"" + std::string(found->path) + "\"");
    }
    return &*found;
  }
  patterns_.push_back(Pattern{.path = path, .segments = std::move(*segments), .routes = {}});
  return &patterns_.back();
}

Result<void> RouteTable::compile() {
  for (const Route& route : router_.routes()) {
    auto pattern = pattern_of(route.path);
    if (!pattern) return std::unexpected(pattern.error());
    if (!route.handler) return bad_route(route.path, "has no handler");
    const auto same = [&](const Route* other) { return other->method == route.method; };
    if (std::ranges::any_of((*pattern)->routes, same)) {
      return bad_route(route.path, "has two handlers for " + route.method);
    }
    (*pattern)->routes.push_back(&route);
  }
  for (const Router::WebSocketRoute& route : router_.websocket_routes()) {
    auto pattern = pattern_of(route.path);
    if (!pattern) return std::unexpected(pattern.error());
    if ((*pattern)->websocket != nullptr)
      return bad_route(route.path, "has two WebSocket handlers");
    (*pattern)->websocket = &route;
  }
  std::ranges::sort(patterns_, [](const Pattern& a, const Pattern& b) {
    return std::ranges::lexicographical_compare(a.segments, b.segments, {}, &Segment::kind,
                                                &Segment::kind);
  });
  for (std::size_t i = 0; i < patterns_.size(); ++i) {
    const auto literal = [](const Segment& s) { return s.kind == Segment::Kind::literal; };
    if (std::ranges::all_of(patterns_[i].segments, literal)) literal_.emplace(patterns_[i].path, i);
  }
  return {};
}

const Route* RouteTable::Pattern::find(std::string_view method) const noexcept {
  const auto by_method = [&](std::string_view wanted) -> const Route* {
    const auto it = std::ranges::find(routes, wanted, &Route::method);
    return it == routes.end() ? nullptr : *it;
  };
  const Route* route = by_method(method);
  return route == nullptr && method == "HEAD" ? by_method("GET") : route;
}

bool RouteTable::fits(const Pattern& pattern, const std::vector<std::string>& parts,
                      Params& params) {
  params.clear();
  for (std::size_t i = 0; i < pattern.segments.size(); ++i) {
    const Segment& segment = pattern.segments[i];
    if (segment.kind == Segment::Kind::rest) {
      std::string rest;
      for (std::size_t j = i; j < parts.size(); ++j) rest += (j == i ? "" : "/") + parts[j];
      params.emplace_back(segment.text, std::move(rest));
      return true;
    }
    if (i >= parts.size()) return false;
    if (segment.kind == Segment::Kind::literal) {
      if (segment.text != parts[i]) return false;
    } else {
      if (parts[i].empty()) return false;
      params.emplace_back(segment.text, parts[i]);
    }
  }
  return pattern.segments.size() == parts.size();
}

RouteMatch RouteTable::match(std::string_view method, std::string_view path,
                             bool wants_websocket) const {
  RouteMatch match;
  // Returns true when the search is over.
  const auto look_at = [&](const Pattern& pattern) {
    if (match.path_template.empty()) match.path_template = pattern.path;
    if (wants_websocket && pattern.websocket != nullptr) {
      match.kind = RouteMatch::Kind::websocket;
      match.websocket = pattern.websocket;
    } else if (const Route* const found = pattern.find(method)) {
      match.route = found;
      match.kind = RouteMatch::Kind::route;
    } else {
      match.kind = RouteMatch::Kind::wrong_method;
      if (pattern.websocket != nullptr) match.websocket = pattern.websocket;
      for (const Route* route : pattern.routes) append_allowed(match.allow, route->method);
      return false;
    }
    match.path_template = pattern.path;
    return true;
  };
  if (const auto it = literal_.find(path); it != literal_.end()) {
    if (look_at(patterns_[it->second])) return match;
    match = {};
  }
  if (!path.starts_with('/')) return match;
  std::vector<std::string> parts;
  for (const std::string_view part : split(path)) {
    auto decoded = percent_decode(part);
    if (!decoded) {
      match.kind = RouteMatch::Kind::bad_path;
      return match;
    }
    parts.push_back(std::move(*decoded));
  }
  for (const Pattern& pattern : patterns_) {
    if (!fits(pattern, parts, match.params)) continue;
    if (look_at(pattern)) return match;
  }
  match.params.clear();
  if (match.kind == RouteMatch::Kind::wrong_method) {
    if (has_token(match.allow, "GET")) append_allowed(match.allow, "HEAD");
    append_allowed(match.allow, "OPTIONS");
  }
  return match;
}

}  // namespace alphaswarm::net::detail
