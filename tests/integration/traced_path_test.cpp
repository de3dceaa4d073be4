// One paper run is one trace over four services, and spans and database rows agree.

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>

#include "tests/integration/system.hpp"

namespace alphaswarm::testing {
namespace {

namespace json = boost::json;

constexpr int kBars = 120;

// The columnar trace of the query server, and counts over it.
class Trace {
 public:
  Trace(System& system, const std::string& id)
      : trace_(system.traces().get("/api/alphaswarm/v1/traces/" + id).json().as_object()),
        spans_(trace_.at("spans").as_object()) {}

  [[nodiscard]] std::size_t size() const { return spans_.at("name").as_array().size(); }
  [[nodiscard]] std::size_t count(std::string_view name) const {
    std::size_t found = 0;
    for (const json::value& index : spans_.at("name").as_array()) {
      found += trace_.at("names").at(index.to_number<std::size_t>()).as_string() == name ? 1 : 0;
    }
    return found;
  }
  [[nodiscard]] std::size_t roots() const {
    const json::array& parents = spans_.at("parent").as_array();
    return static_cast<std::size_t>(std::ranges::count_if(
        parents, [](const json::value& parent) { return parent.to_number<int>() < 0; }));
  }
  [[nodiscard]] std::size_t events_of(std::string_view name) const {
    std::size_t events = 0;
    for (std::size_t i = 0; i < size(); ++i) {
      const auto index = spans_.at("name").at(i).to_number<std::size_t>();
      if (trace_.at("names").at(index).as_string() == name) {
        events += spans_.at("events").at(i).to_number<std::size_t>();
      }
    }
    return events;
  }
  [[nodiscard]] const json::object& json() const { return trace_; }

 private:
  json::object trace_;
  const json::object& spans_;
};

TEST(TracedPath, OnePaperRunIsOneTraceOverFourServices) {
  System system;
  system.ingest(kBars);
  const json::object run = system.run_paper("picture");
  const std::string id(run.at("trace_id").as_string());
  const std::string tree = system.tree(id);

  const Trace trace(system, id);
  EXPECT_EQ(trace.json().at("services").as_array().size(), 4U);
  EXPECT_EQ(trace.roots(), 1U);
  EXPECT_EQ(trace.json().at("orphans").to_number<int>(), 0);
  EXPECT_EQ(trace.json().at("openSpans").to_number<int>(), 0);

  const auto number = [&](const char* key) { return run.at(key).to_number<std::size_t>(); };
  EXPECT_EQ(number("bars_seen"), static_cast<std::size_t>(kBars));
  EXPECT_GT(number("fills_count"), 0U);
  EXPECT_EQ(trace.count("paper.session.bar"), number("bars_seen"));
  EXPECT_EQ(trace.count("paper.session.submit_order"), number("orders_submitted"));
  EXPECT_EQ(trace.events_of("paper.session.submit_order"), number("fills_count"));
  EXPECT_EQ(run.at("orders").as_array().size(), number("orders_submitted"));
  EXPECT_EQ(run.at("fills").as_array().size(), number("fills_count"));
  EXPECT_EQ(system.process().stop(), 0) << system.process().output();
}

}  // namespace
}  // namespace alphaswarm::testing
