#include "tests/integration/picture.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <optional>

#include "tests/integration/system.hpp"

namespace alphaswarm::testing {
namespace {

constexpr std::string_view kPicture =
    R"(POST /paper/start [alphaswarm-api server]
└─ apply_async/alphaswarm.tasks.paper_tasks.run_paper [alphaswarm-api producer]
   ├─ INSERT tasks [alphaswarm-api client]
   └─ run/alphaswarm.tasks.paper_tasks.run_paper [alphaswarm-worker consumer]
      ├─ UPDATE tasks [alphaswarm-worker client] × 2
      ├─ SELECT paper_trading_runs [alphaswarm-worker client]
      ├─ paper.session.run [alphaswarm-paper-trader internal]
      │  ├─ INSERT paper_trading_runs [alphaswarm-paper-trader client]
      │  ├─ BEGIN [alphaswarm-paper-trader client] × 5
      │  ├─ UPDATE paper_trading_runs [alphaswarm-paper-trader client] × 5
      │  ├─ COMMIT [alphaswarm-paper-trader client] × 5
      │  ├─ SELECT bars [alphaswarm-paper-trader client]
      │  ├─ POST [alphaswarm-paper-trader client]
      │  │  └─ POST /sim/v1/account [alphaswarm-exchange server]
      │  ├─ paper.session.bar [alphaswarm-paper-trader internal] × 120
      │  │  ├─ SELECT kill_switch [alphaswarm-paper-trader client] × 120
      │  │  ├─ POST [alphaswarm-paper-trader client] × 120
      │  │  │  └─ POST /sim/v1/advance [alphaswarm-exchange server] × 120
      │  │  ├─ BEGIN [alphaswarm-paper-trader client] × 20
      │  │  ├─ UPDATE paper_trading_runs [alphaswarm-paper-trader client] × 12
      │  │  ├─ COMMIT [alphaswarm-paper-trader client] × 20
      │  │  ├─ paper.session.submit_order [alphaswarm-paper-trader internal] × 4
      │  │  │  ├─ risk.check_pretrade [alphaswarm-paper-trader internal] × 4
      │  │  │  ├─ SELECT kill_switch [alphaswarm-paper-trader client] × 4
      │  │  │  └─ broker.submit_order [alphaswarm-paper-trader internal] × 4
      │  │  │     └─ POST [alphaswarm-paper-trader client] × 4
      │  │  │        └─ POST /v2/orders [alphaswarm-exchange server] × 4
      │  │  ├─ INSERT orders [alphaswarm-paper-trader client] × 8
      │  │  ├─ INSERT signals [alphaswarm-paper-trader client] × 4
      │  │  ├─ INSERT ledger_entries [alphaswarm-paper-trader client] × 8
      │  │  └─ INSERT fills [alphaswarm-paper-trader client] × 4
      │  ├─ INSERT ledger_entries [alphaswarm-paper-trader client]
      │  └─ DELETE [alphaswarm-paper-trader client]
      │     └─ DELETE /sim/v1/account [alphaswarm-exchange server]
      └─ ws.publish [alphaswarm-worker internal]
         └─ UPDATE tasks [alphaswarm-worker client]
)";

// "   SETEX [alphaswarm-worker client] × 2": a Redis command of ours, or a batch of them.
bool is_redis(std::string_view line) {
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  for (const std::string_view batch : {"MULTI ", "PIPELINE "}) {
    if (line.starts_with(batch)) line.remove_prefix(batch.size());
  }
  const std::string_view command = line.substr(0, line.find(" ["));
  static constexpr std::string_view kCommands[] = {"DEL",   "EVAL",    "EVALSHA", "GET",
                                                   "LPUSH", "PUBLISH", "SET",     "SETEX"};
  return std::ranges::find(kCommands, command) != std::end(kCommands);
}

// The lines from `at` on, indented plainly: which branch is the last one depends on the lines left
// out.
std::string without_pace(std::string tree, std::size_t at) {
  for (const std::string_view branch : {"├─ ", "└─ ", "│  "}) {
    for (std::size_t found = tree.find(branch); found != std::string::npos;
         found = tree.find(branch, found)) {
      tree.replace(found, branch.size(), "   ");
    }
  }
  std::string kept;
  for (; at < tree.size(); at = tree.find('\n', at) + 1) {
    const std::string line = tree.substr(at, tree.find('\n', at) - at + 1);
    if (line.find("ws.publish [alphaswarm-paper-trader") == std::string::npos &&
        line.find(" connect [") == std::string::npos && !is_redis(line)) {
      kept += line;
    }
  }
  return kept;
}

// A session waits 200 ms for the answer to its goodbye. One that was not waited for has failed, and
// the exchange may have seen it or not.
std::string with_an_answered_goodbye(std::string tree) {
  constexpr std::string_view kCutOff = "DELETE [alphaswarm-paper-trader client]  ERROR\n";
  const std::size_t at = tree.find(kCutOff);
  if (at == std::string::npos) return tree;
  const std::string indent = tree.substr(tree.rfind('\n', at) + 1, at - tree.rfind('\n', at) - 1);
  const std::string answer = indent + "   DELETE /sim/v1/account [alphaswarm-exchange server]";
  std::size_t end = at + kCutOff.size();
  if (tree.compare(end, answer.size(), answer) == 0) end = tree.find('\n', end) + 1;
  return tree.replace(at, end - at, "DELETE [alphaswarm-paper-trader client]\n" + answer + '\n');
}

}  // namespace

void expect_picture(const std::string& query_url, const std::string& trace_id) {
  using Clock = std::chrono::steady_clock;
  const TemporaryFolder folder;
  const std::string wanted = without_pace(std::string(kPicture), 0);
  const auto deadline = Clock::now() + std::chrono::seconds(60);
  std::string seen;
  std::optional<Clock::time_point> whole_since;
  do {
    const Outcome now = run_alphaswarm(
        {"trace", "tree", trace_id, "--no-durations", "--url", query_url}, folder.path());
    seen = now.exit_code != 0  // the head line holds the trace id
               ? now.output
               : with_an_answered_goodbye(without_pace(now.output, now.output.find('\n') + 1));
    if (seen != wanted) {
      whole_since.reset();
    } else if (!whole_since) {
      whole_since = Clock::now();
    } else if (Clock::now() - *whole_since > milliseconds(1500)) {  // nothing more has come
      return;
    }
  } while (Clock::now() < deadline);
  EXPECT_EQ(seen, wanted);
}

void expect_one_trace(const Trace& trace) {
  EXPECT_EQ(trace.json().at("services").as_array().size(), 4U);
  EXPECT_EQ(trace.roots(), 1U);
  EXPECT_EQ(trace.json().at("orphans").to_number<int>(), 0);
  EXPECT_EQ(trace.json().at("openSpans").to_number<int>(), 0);
}

}  // namespace alphaswarm::testing
