#include "alphaswarm/api/openapi.hpp"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <string_view>
#include <utility>

#include "alphaswarm/api/schemas.hpp"

namespace alphaswarm::api {

namespace json = boost::json;

namespace {

constexpr std::array<std::pair<int, std::string_view>, 14> kMeanings{{
    {101, "The connection becomes a WebSocket."},
    {200, "The answer."},
    {202, "Accepted: a worker will do it."},
    {400, "The request is wrong; the detail says what."},
    {403, "The request comes from a page of another site."},
    {404, "There is no such thing."},
    {409, "It conflicts with what is already there."},
    {422, "The input is wrong; each mistake is named with its place."},
    {423, "The kill switch is engaged."},
    {429, "Too many requests."},
    {500, "A failure of the service."},
    {502, "The broker failed."},
    {503, "Something that is needed is away; the detail names it."},
    {504, "Something did not answer in time."},
}};

std::string_view meaning(int status) {
  const auto found = std::ranges::find(kMeanings, status, &std::pair<int, std::string_view>::first);
  return found == kMeanings.end() ? std::string_view("See the detail.") : found->second;
}

// "application/json" with a schema, or the media type alone.
json::object content(std::string_view type) {
  if (type.find('/') == type.npos) {
    return {{"application/json", json::object{{"schema", schema_of_type(type)}}}};
  }
  return {{type, json::object{{"schema", json::object{{"type", "string"}}}}}};
}

json::object described(int status, std::string_view type) {
  json::object response{{"description", meaning(status)}};
  if (!type.empty()) response["content"] = content(type);
  return response;
}

json::array parameters(const Operation& operation) {
  json::array list;
  std::string_view rest = operation.path;
  while (true) {
    const std::size_t open = rest.find('{');
    const std::size_t close = rest.find('}', open);
    if (open == rest.npos || close == rest.npos) break;
    std::string_view name = rest.substr(open + 1, close - open - 1);
    if (name.ends_with('*')) name.remove_suffix(1);  // all that is left of the path
    list.push_back(json::object{
        {"name", name}, {"in", "path"}, {"required", true}, {"schema", schema_of_type("string")}});
    rest.remove_prefix(close + 1);
  }
  for (const QueryParameter& parameter : operation.query) {
    list.push_back(json::object{{"name", parameter.name},
                                {"in", "query"},
                                {"required", false},
                                {"description", parameter.about},
                                {"schema", schema_of_type(parameter.type)}});
  }
  return list;
}

// "GET /paper/runs/{id}" → "get_paper_runs_id".
std::string operation_id(const Operation& operation) {
  std::string id;
  for (const char c : operation.method + operation.path) {
    const bool upper = c >= 'A' && c <= 'Z';
    const bool word = upper || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (word) id += upper ? static_cast<char>(c - 'A' + 'a') : c;
    if (!word && !id.empty() && id.back() != '_') id += '_';
  }
  while (id.ends_with('_')) id.pop_back();
  return id;
}

json::object describe(const Operation& operation) {
  json::object responses;
  const int status = operation.websocket ? 101 : operation.status;
  responses[std::to_string(status)] =
      described(status, operation.websocket ? std::string_view() : operation.response);
  for (const int error : operation.errors) {
    responses[std::to_string(error)] =
        described(error, error == 422 ? "ValidationErrors" : "ErrorDetail");
  }
  json::object out{{"operationId", operation_id(operation)},
                   {"tags", json::array{operation.tag}},
                   {"summary", operation.summary},
                   {"parameters", parameters(operation)},
                   {"responses", std::move(responses)}};
  if (operation.websocket) {
    out["description"] = "A WebSocket. Each message is a " + operation.response + ".";
  }
  if (!operation.request.empty()) {
    out["requestBody"] = json::object{{"required", true}, {"content", content(operation.request)}};
  }
  return out;
}

json::array tags(std::span<const Operation> operations) {
  json::array list;
  for (const Operation& operation : operations) {
    json::object tag{{"name", operation.tag}};
    if (std::ranges::find(list, json::value(tag)) == list.end()) list.push_back(std::move(tag));
  }
  return list;
}

}  // namespace

std::string openapi_document(std::span<const Operation> operations, std::string_view version) {
  json::object paths;
  for (const Operation& operation : operations) {
    std::string method;
    for (const char c : operation.method) method += static_cast<char>(c - 'A' + 'a');
    std::string template_path = operation.path;
    std::erase(template_path, '*');
    json::value& path = paths[template_path];
    if (path.is_null()) path.emplace_object();
    path.get_object()[method] = describe(operation);
  }
  json::object components;
  for (const SchemaText& text : schemas()) components[text.name] = schema_of(text);
  json::object document{
      {"openapi", "3.1.0"},
      {"info",
       json::object{
           {"title", "AlphaSwarm"},
           {"version", version},
           {"description",
            "Backtests, paper trading, data and brokers. Every response carries `traceresponse` "
            "and `x-trace-id`. Times are RFC 3339 in UTC; decimals are numbers with all their "
            "digits."},
           {"license", json::object{{"name", "Apache-2.0"}, {"identifier", "Apache-2.0"}}}}},
      {"servers", json::array{json::object{{"url", "/"}}}},
      {"tags", tags(operations)},
      {"paths", std::move(paths)},
      {"components", json::object{{"schemas", std::move(components)}}}};
  return json::serialize(document);
}

}  // namespace alphaswarm::api
