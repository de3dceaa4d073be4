// Nothing is lost unseen: services that are stopped in the middle of a session account for every
// span, against a collector in another process.

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "alphaswarm/base/random.hpp"
#include "tests/integration/system.hpp"

namespace alphaswarm::testing {
namespace {

namespace json = boost::json;

TEST(Stop, TwentyStopsInMidSessionLoseNothingUnseen) {
  CollectorProcess collector;
  const std::uint64_t seed = thread_random().next();
  SCOPED_TRACE("seed " + std::to_string(seed));
  Random random(seed);
  std::uint64_t expected = 0;
  for (int round = 0; round < 20; ++round) {
    System system({{"ALPHASWARM_OTEL_ENDPOINT", collector.url(4317)}});
    system.ingest(200);
    const json::object feed = {{"kind", "replay"}, {"params", {{"speed", 400}}}};
    const json::object accepted = system.start_paper("stopped", feed);
    // Stops between the first bar and the last, wherever the session happens to be.
    const auto bars = random.below(180);
    system.api().poll("/paper/runs/" + std::string(accepted.at("task_id").as_string()),
                      [&](const Http::Reply& reply) {
                        return reply.status == 200 &&
                               reply.json().at("bars_seen").to_number<std::uint64_t>() >= bars;
                      });
    EXPECT_EQ(system.process().stop(), 0) << system.process().output();
    const TracingTotals totals = tracing_totals(system.process().output());
    EXPECT_EQ(totals.services, 4) << system.process().output();
    EXPECT_EQ(totals.started, totals.exported + totals.dropped) << system.process().output();
    EXPECT_EQ(totals.open, 0U);
    expected += totals.exported;
    ASSERT_EQ(collector.spans(expected), expected) << "round " << round << '\n'
                                                   << system.process().output();
  }
}

}  // namespace
}  // namespace alphaswarm::testing
