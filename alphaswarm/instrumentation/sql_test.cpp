#include "alphaswarm/instrumentation/sql.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "alphaswarm/instrumentation/spans_for_tests.hpp"

namespace alphaswarm::instrumentation {
namespace {

namespace otel = alphaswarm::observability;

struct Case {
  persistence::SqlStatementInfo statement;
  std::optional<Error> error;
  std::string sqlstate;
  std::string name;
  otel::TextAttributes attributes;
  otel::StatusCode status;
};

TEST(SqlSpans, NamesAttributesAndStatus) {
  const Case cases[] = {
      {{.text = "INSERT INTO orders VALUES ($1, $2)",
        .operation = "INSERT",
        .target = "orders",
        .system = "sqlite",
        .database = "alpha.db"},
       {},
       "",
       "INSERT orders",
       {{"db.system.name", "sqlite"},
        {"db.namespace", "alpha.db"},
        {"db.query.text", "INSERT INTO orders VALUES ($1, $2)"},
        {"db.operation.name", "INSERT"},
        {"db.collection.name", "orders"}},
       otel::StatusCode::unset},
      {{.text = "COMMIT",
        .operation = "COMMIT",
        .target = "",
        .system = "sqlite",
        .database = "alpha.db"},
       Error{ErrorCode::resource_exhausted, "the disk is full"},
       "53100",
       "COMMIT",
       {{"db.system.name", "sqlite"},
        {"db.namespace", "alpha.db"},
        {"db.query.text", "COMMIT"},
        {"db.operation.name", "COMMIT"},
        {"db.response.status_code", "53100"},
        {"error.type", "53100"}},
       otel::StatusCode::error},
      {{.text = "", .operation = "connect", .target = "", .system = "sqlite", .database = "a.db"},
       Error{ErrorCode::unavailable, "no such file"},
       "",
       "connect",
       {{"db.system.name", "sqlite"}, {"db.namespace", "a.db"}, {"error.type", "unavailable"}},
       otel::StatusCode::error},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    SpanKeeper keeper;
    TracingSqlObserver observer(keeper.provider());
    observer.finished(observer.started(c.statement), c.error ? &*c.error : nullptr, c.sqlstate);
    const otel::FinishedSpan span = keeper.only();
    EXPECT_EQ(span.name, c.name);
    EXPECT_EQ(span.kind, otel::SpanKind::client);
    EXPECT_EQ(span.attributes, c.attributes);
    EXPECT_EQ(span.status, c.status);
    EXPECT_EQ(span.status_message, c.error ? c.error->message : "");
  }
}

TEST(SqlSpans, MayBeBoundToATrace) {
  SpanKeeper keeper;
  TracingSqlObserver observer(keeper.provider(), false);
  const persistence::SqlStatementInfo poll{.text = "SELECT 1",
                                           .operation = "SELECT",
                                           .target = "",
                                           .system = "sqlite",
                                           .database = "a.db"};
  observer.finished(observer.started(poll), nullptr, "");
  EXPECT_TRUE(keeper.spans().empty());
  {
    const otel::Span root = otel::span("root", {.provider = keeper.provider()});
    observer.finished(observer.started(poll), nullptr, "");
  }
  EXPECT_EQ(keeper.spans().size(), 2U);
}

}  // namespace
}  // namespace alphaswarm::instrumentation
