#include "alphaswarm/api/routes/pages.hpp"

#include <string>
#include <utility>

namespace alphaswarm::api {
namespace {

constexpr std::string_view kNoPages =
    "This build carries no web pages; build them with `make build` on a machine with Node.";

// The file at that path, or its page for a deep link: a path whose last segment has no suffix.
std::optional<Page> find_page(const ApiDependencies& service, std::string_view path) {
  if (std::optional<Page> page = service.pages(path)) return page;
  const std::string_view last = path.substr(path.rfind('/') + 1);
  if (last.find('.') != last.npos) return std::nullopt;
  return service.pages("/dash");
}

}  // namespace

net::HttpResponse page_reply(const Page& page) {
  net::HttpResponse response;
  response.body = page.bytes;
  response.headers.set("content-type", page.content_type);
  if (!page.encoding.empty()) response.headers.set("content-encoding", page.encoding);
  response.headers.set("cache-control",
                       page.immutable ? "public, max-age=31536000, immutable" : "no-cache");
  return response;
}

namespace {

net::HttpResponse dashboard(const ApiDependencies& service, const net::HttpRequest& request) {
  if (!service.pages) return error_reply(404, kNoPages);
  if (const std::optional<Page> page = find_page(service, request.path)) return page_reply(*page);
  return unknown_reply("page", request.path);
}

net::HttpResponse config(const ApiDependencies& service, const net::HttpRequest&) {
  JsonWriter json;
  json.begin_object().field("traceUiUrl", service.trace_ui_url).end_object();
  net::HttpResponse response = reply(std::move(json));
  response.headers.set("cache-control", "no-cache");
  return response;
}

}  // namespace

void add_page_routes(RouteTable& table, const Context& context) {
  table.add({.method = "GET",
             .path = "/dash",
             .tag = "pages",
             .summary = "The dashboard",
             .response = "text/html",
             .errors = {404}},
            quick_handler(context, dashboard));
  table.add({.method = "GET",
             .path = "/dash/config.json",
             .tag = "pages",
             .summary = "What the dashboard must know",
             .response = "DashboardConfig"},
            quick_handler(context, config));
  table.add({.method = "GET",
             .path = "/dash/{path*}",
             .tag = "pages",
             .summary = "The dashboard's files and deep links",
             .response = "text/html",
             .errors = {404}},
            quick_handler(context, dashboard));
}

}  // namespace alphaswarm::api
