// Lines of spdlog carry the span they were written in, and go out as OTLP.

#include "alphaswarm/observability/logs/spdlog.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>

#include <map>
#include <mutex>
#include <sstream>
#include <thread>

#include "alphaswarm/observability/api/provider.hpp"
#include "alphaswarm/otlp/any_value.hpp"
#include "alphaswarm/otlp/wire_reader.hpp"

namespace alphaswarm::observability::logs {
namespace {

using otlp::WireField;
using otlp::WireReader;

struct Received {
  std::string scope;
  std::uint64_t severity = 0;
  std::string severity_text;
  std::string body;
  std::string trace_id;
  std::string span_id;
  std::map<std::string, std::string> attributes;
};

std::string_view field(std::string_view message, std::uint32_t number) {
  WireReader reader(message);
  for (WireField each; reader.next(each);) {
    if (each.number == number) return each.bytes;
  }
  return {};
}

// Keeps what it is sent; refuses when told to.
class Receiver final : public BatchSink {
 public:
  SinkResult send(const Batch& batch, std::chrono::milliseconds) override {
    const std::scoped_lock lock(mutex_);
    if (refusing_) return {.status = SinkResult::rejected, .message = "no"};
    const std::string request = batch.request.joined();
    WireReader resource(field(request, 1));
    for (WireField scope; resource.next(scope);) {
      if (scope.number != 2) continue;
      WireReader records(scope.bytes);
      for (WireField record; records.next(record);) {
        if (record.number == 2) add(std::string(field(field(scope.bytes, 1), 1)), record.bytes);
      }
    }
    return {};
  }
  std::vector<Received> records() {
    const std::scoped_lock lock(mutex_);
    return records_;
  }
  void refuse() {
    const std::scoped_lock lock(mutex_);
    refusing_ = true;
  }

 private:
  void add(std::string scope, std::string_view bytes) {
    Received record;
    record.scope = std::move(scope);
    WireReader reader(bytes);
    for (WireField each; reader.next(each);) {
      if (each.number == 2) record.severity = each.integer;
      if (each.number == 3) record.severity_text = each.bytes;
      if (each.number == 5) record.body = field(each.bytes, 1);
      if (each.number == 9) record.trace_id = each.bytes;
      if (each.number == 10) record.span_id = each.bytes;
      if (each.number == 6) {
        const otlp::KeyValueView pair(each.bytes);
        record.attributes.emplace(pair.key(), otlp::to_text(pair.value()));
      }
    }
    records_.push_back(std::move(record));
  }
  std::mutex mutex_;
  std::vector<Received> records_;
  bool refusing_ = false;
};

template <class Id>
std::string bytes_of(const Id& id) {
  return {reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()};
}

struct Logs {
  std::shared_ptr<Receiver> receiver = std::make_shared<Receiver>();
  std::unique_ptr<LoggerProvider> provider;

  explicit Logs(LogsConfig config = {}) {
    config.receiver.sink = receiver;
    config.schedule_delay_ms = 60'000;  // tests flush
    auto made = LoggerProvider::create(std::move(config));
    EXPECT_TRUE(made.has_value());
    provider = std::move(*made);
  }
};

TEST(Logs, SpdlogRecordsBecomeOtlp) {
  Logs logs;
  spdlog::logger logger("shop",
                        std::make_shared<OtlpLogSink>(logs.provider->logger("orders", "1")));
  logger.warn("slow by {} ms", 7);
  logger.log(spdlog::source_loc{"order.cpp", 12, "submit"}, spdlog::level::critical, "lost \xff");
  ASSERT_TRUE(logs.provider->force_flush());
  const auto records = logs.receiver->records();
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0].scope, "orders");
  EXPECT_EQ(records[0].severity, 13U);
  EXPECT_EQ(records[0].severity_text, "warning");
  EXPECT_EQ(records[0].body, "slow by 7 ms");
  EXPECT_EQ(records[0].trace_id, "");
  EXPECT_EQ(records[0].attributes.at("log.logger"), "shop");
  EXPECT_EQ(records[1].severity, 21U);
  EXPECT_EQ(records[1].body, "lost \xef\xbf\xbd");
  EXPECT_EQ(records[1].attributes.at("code.line.number"), "12");
  EXPECT_EQ(records[1].attributes.at("code.function.name"), "submit");
}

#if ALPHASWARM_OTEL

TEST(Logs, LinesAndRecordsCarryTheSpan) {
  auto tracing = TracerProvider::create({.service_name = "test"});
  ASSERT_TRUE(tracing.has_value());
  Logs logs;
  std::ostringstream text;
  auto lines = std::make_shared<spdlog::sinks::ostream_sink_mt>(text);
  lines->set_formatter(trace_formatter("%l %v%*"));
  auto ids = std::make_shared<spdlog::sinks::ostream_sink_mt>(text);
  ids->set_formatter(trace_formatter("[%Q/%K]"));
  spdlog::logger logger(
      "shop", {lines, ids, std::make_shared<OtlpLogSink>(logs.provider->logger("orders"))});
  SpanContext inside;
  {
    const Span open = span("order", SpanOptions{.provider = tracing->get()});
    inside = open.context();
    logger.info("within");
  }
  logger.info("outside");
  const std::string trace = inside.trace_id.to_hex();
  const std::string id = inside.span_id.to_hex();
  EXPECT_EQ(text.str(), "info within trace_id=" + trace + " span_id=" + id + "\n[" + trace + "/" +
                            id + "]\ninfo outside\n[/]\n");
  ASSERT_TRUE(logs.provider->force_flush());
  const auto records = logs.receiver->records();
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0].trace_id, bytes_of(inside.trace_id));
  EXPECT_EQ(records[0].span_id, bytes_of(inside.span_id));
  EXPECT_EQ(records[1].trace_id, "");
}

#endif

TEST(Logs, EveryLossIsCounted) {
  Logs logs({.max_queue_records = 10, .max_batch_records = 10});
  const Logger logger = logs.provider->logger("flood");
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 2'000; ++i) logger.emit({.severity = Severity::info, .body = "x"});
    });
  }
  threads.clear();
  ASSERT_TRUE(logs.provider->force_flush());
  const LogsStats before = logs.provider->stats();
  EXPECT_EQ(before.emitted, 8'000U);
  EXPECT_EQ(before.exported, logs.receiver->records().size());
  EXPECT_EQ(before.exported + before.dropped.queue_full, 8'000U);
  logs.receiver->refuse();
  logger.emit({.body = "refused"});
  ASSERT_TRUE(logs.provider->shutdown());
  logger.emit({.body = "late"});
  const LogsStats after = logs.provider->stats();
  EXPECT_EQ(after.dropped.export_failed, 1U);
  EXPECT_EQ(after.dropped.provider_gone, 1U);
  EXPECT_EQ(after.emitted, after.exported + after.dropped.total());
  logs.provider.reset();
  logger.emit({.body = "later still"});
}

}  // namespace
}  // namespace alphaswarm::observability::logs
