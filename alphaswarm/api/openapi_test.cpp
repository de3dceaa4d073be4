#include "alphaswarm/api/openapi.hpp"

#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <set>
#include <string>

#include "alphaswarm/api/schemas.hpp"

namespace alphaswarm::api {
namespace {

namespace json = boost::json;

std::string text(const json::object& schema) { return json::serialize(schema); }

TEST(SchemaNotation, ReadsTypes) {
  EXPECT_EQ(text(schema_of_type("integer")), R"({"type":"integer"})");
  EXPECT_EQ(text(schema_of_type("time?")), R"({"type":["string","null"],"format":"date-time"})");
  EXPECT_EQ(text(schema_of_type("one(buy,sell)")), R"({"type":"string","enum":["buy","sell"]})");
  EXPECT_EQ(text(schema_of_type("Order[]")),
            R"({"type":"array","items":{"$ref":"#/components/schemas/Order"}})");
  EXPECT_EQ(text(schema_of_type("Order?")),
            R"({"anyOf":[{"$ref":"#/components/schemas/Order"},{"type":"null"}]})");
  EXPECT_EQ(text(schema_of_type("number{}")),
            R"({"type":"object","additionalProperties":{"type":"number"}})");
  EXPECT_EQ(text(schema_of_type("any")), "{}");
}

TEST(SchemaNotation, ReadsFieldsAndWhichAreRequired) {
  const json::object schema =
      schema_of({"Thing", "A thing.", "id string its id; note? string?;\n size number[] in m"});
  EXPECT_EQ(text(schema), text(json::parse(R"({"type":"object","description":"A thing.",
      "properties":{"id":{"type":"string","description":"its id"},
                    "note":{"type":["string","null"]},
                    "size":{"type":"array","items":{"type":"number"},"description":"in m"}},
      "required":["id","size"]})")
                                   .as_object()));
}

void collect_references(const json::value& tree, std::set<std::string>& names) {
  if (const json::object* object = tree.if_object()) {
    for (const auto& [key, value] : *object) {
      if (key == "$ref") names.insert(std::string(value.as_string()));
      collect_references(value, names);
    }
  } else if (const json::array* array = tree.if_array()) {
    for (const json::value& value : *array) collect_references(value, names);
  }
}

TEST(Schemas, ReferToEachOtherAndToNothingElse) {
  std::set<std::string> known;
  std::set<std::string> named;
  for (const SchemaText& schema : schemas()) {
    EXPECT_TRUE(known.insert("#/components/schemas/" + std::string(schema.name)).second)
        << schema.name << " is there twice";
    collect_references(schema_of(schema), named);
  }
  for (const std::string& name : named) EXPECT_TRUE(known.contains(name)) << name;
}

TEST(OpenApi, DescribesParametersBodiesAndErrors) {
  const std::vector<Operation> operations{{.method = "POST",
                                           .path = "/things/{id}/parts/{path*}",
                                           .tag = "things",
                                           .summary = "Add a part",
                                           .query = {{"limit", "integer", "at most"}},
                                           .request = "StartRequest",
                                           .response = "Order[]",
                                           .status = 202,
                                           .errors = {404, 422}}};
  const json::value document = json::parse(openapi_document(operations, "1.2.3"));
  EXPECT_EQ(document.at("openapi").as_string(), "3.1.0");
  EXPECT_EQ(document.at("info").at("version").as_string(), "1.2.3");
  const json::object& post =
      document.at("paths").at("/things/{id}/parts/{path}").at("post").as_object();
  EXPECT_EQ(post.at("operationId").as_string(), "post_things_id_parts_path");
  const json::array& parameters = post.at("parameters").as_array();
  ASSERT_EQ(parameters.size(), 3U);
  EXPECT_EQ(parameters[0].at("name").as_string(), "id");
  EXPECT_EQ(parameters[1].at("name").as_string(), "path");
  EXPECT_EQ(parameters[2].at("in").as_string(), "query");
  EXPECT_TRUE(post.at("requestBody").at("required").as_bool());
  const json::object& responses = post.at("responses").as_object();
  EXPECT_EQ(responses.size(), 3U);
  EXPECT_TRUE(responses.at("202").at("content").as_object().contains("application/json"));
  std::set<std::string> named;
  collect_references(responses.at("422"), named);
  EXPECT_EQ(named, std::set<std::string>{"#/components/schemas/ValidationErrors"});
}

}  // namespace
}  // namespace alphaswarm::api
