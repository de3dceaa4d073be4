#pragma once

// What a session's trace must look like, wherever its services run.

#include <boost/json.hpp>
#include <string>
#include <string_view>

#include "tests/support/http.hpp"

namespace alphaswarm::testing {

// Bars of the session that the picture shows.
inline constexpr int kPictureBars = 120;

// The columnar trace of the query server, and counts over it.
class Trace {
 public:
  Trace(Http& traces, const std::string& id)
      : trace_(traces.get("/api/alphaswarm/v1/traces/" + id).json().as_object()),
        spans_(trace_.at("spans").as_object()) {}

  [[nodiscard]] std::size_t size() const { return spans_.at("name").as_array().size(); }
  // Of the span at `index`; the root is the first one.
  [[nodiscard]] std::string_view name(std::size_t index) const {
    const auto at = spans_.at("name").at(index).to_number<std::size_t>();
    return trace_.at("names").at(at).as_string();
  }
  [[nodiscard]] std::size_t count(std::string_view wanted) const {
    std::size_t found = 0;
    for (std::size_t i = 0; i < size(); ++i) found += name(i) == wanted ? 1 : 0;
    return found;
  }
  [[nodiscard]] std::size_t roots() const {
    const boost::json::array& parents = spans_.at("parent").as_array();
    return static_cast<std::size_t>(std::ranges::count_if(
        parents, [](const boost::json::value& parent) { return parent.to_number<int>() < 0; }));
  }
  [[nodiscard]] std::size_t events_of(std::string_view wanted) const {
    std::size_t events = 0;
    for (std::size_t i = 0; i < size(); ++i) {
      if (name(i) == wanted) events += spans_.at("events").at(i).to_number<std::size_t>();
    }
    return events;
  }
  [[nodiscard]] const boost::json::object& json() const { return trace_; }

 private:
  boost::json::object trace_;
  const boost::json::object& spans_;
};

// Fails unless the trace, as `alphaswarm trace tree` prints it from that query server, becomes the
// picture within a minute and stays so. Left out of the comparison: how often progress is published
// (at most every 100 ms, so it depends on speed), when the database opens another connection, Redis
// commands, which the embedded bus has none of, and the exchange's side of a session's goodbye if
// the session has not waited for it.
void expect_picture(const std::string& query_url, const std::string& trace_id);

// Fails unless the trace has one root, four services, and nothing open or orphaned.
void expect_one_trace(const Trace& trace);

}  // namespace alphaswarm::testing
