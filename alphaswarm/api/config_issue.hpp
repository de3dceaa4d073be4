#pragma once

#include <boost/json/fwd.hpp>

#include "alphaswarm/api/input.hpp"
#include "alphaswarm/base/error.hpp"
#include "alphaswarm/trading/paper/session_config.hpp"

namespace alphaswarm::api {

// Where in a configuration a refusal points. The trading modules say it in a sentence, "session:
// max_bars is 0, must be …" or "there is no strategy 'x'"; this finds the section and the setting
// that the sentence names in `config`, as far as they are there: {"session", "max_bars"}. The
// sentence itself is the issue's message.
[[nodiscard]] Issue locate_issue(const Error& error, const boost::json::object& config);

// What the session's own check found, each place made as exact as its sentence allows.
[[nodiscard]] std::vector<Issue> locate_issues(
    const std::vector<trading::paper::ConfigIssue>& found, const boost::json::object& config);

}  // namespace alphaswarm::api
