#include "alphaswarm/api/routes/docs.hpp"

#include <memory>
#include <string>
#include <utility>

#include "alphaswarm/api/openapi.hpp"
#include "alphaswarm/api/routes/pages.hpp"

namespace alphaswarm::api {
namespace {

net::HttpResponse docs(const ApiDependencies& service, const net::HttpRequest&) {
  const std::optional<Page> page = service.pages ? service.pages("/docs") : std::optional<Page>();
  if (page) return page_reply(*page);
  return error_reply(404, "This build carries no web pages; the document is at /openapi.json.");
}

net::task<net::HttpResponse> send_document(const std::string& document) {
  co_return net::HttpResponse::json(200, document);
}

}  // namespace

void add_docs_routes(RouteTable& table, const Context& context) {
  table.add({.method = "GET",
             .path = "/docs",
             .tag = "service",
             .summary = "The API's reference as a page",
             .response = "text/html",
             .errors = {404}},
            quick_handler(context, docs));
  // Filled below, once this route itself is in the table; shared with the handler's copies.
  auto document = std::make_shared<std::string>();
  table.add({.method = "GET",
             .path = "/openapi.json",
             .tag = "service",
             .summary = "The API's description (OpenAPI 3.1)",
             .response = "object"},
            [document](const net::HttpRequest&) { return send_document(*document); });
  *document = openapi_document(table.operations(), context->version);
}

}  // namespace alphaswarm::api
