#include "alphaswarm/observability/export/file.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "alphaswarm/observability/api/provider.hpp"
#include "alphaswarm/observability/export/console.hpp"
#include "alphaswarm/observability/export/memory.hpp"
#include "alphaswarm/observability/tracing.hpp"
#include "alphaswarm/otlp/json_request.hpp"

#if ALPHASWARM_OTEL

namespace alphaswarm::observability {
namespace {

namespace fs = std::filesystem;

class FileTest : public ::testing::Test {
 protected:
  FileTest() { fs::create_directories(folder_); }
  ~FileTest() override { fs::remove_all(folder_); }
  [[nodiscard]] std::vector<std::string> lines(const std::string& name) const {
    std::ifstream file(folder_ / name);
    std::vector<std::string> found;
    for (std::string line; std::getline(file, line);) found.push_back(line);
    return found;
  }
  fs::path folder_ = fs::temp_directory_path() / ("file_test." + std::to_string(::getpid()));
};

// A request with a parent, two children and a fact of each kind of value.
std::string request() {
  const auto memory = std::make_shared<MemorySink>();
  auto provider = TracerProvider::create({.service_name = "desk", .sink = memory});
  {
    auto root = span("order \"7\"", {.kind = SpanKind::server, .provider = provider->get()},
                     {{"open", true}, {"price", 1.5}, {"count", 7}});
    root.event("filled", {{"quantity", 3}});
    {
      const auto first = span("check");
    }
    {
      auto second = span("send");
      second.error("refused");
    }
  }
  (*provider)->force_flush();
  return memory->requests().at(0);
}

TEST_F(FileTest, WritesLinesThatReadBackTheSame) {
  const std::string sent = request();
  FileSink sink((folder_ / "spans.jsonl").string(), 1'000'000);
  EXPECT_EQ(sink.send({sent, 3}, {}).status, SinkResult::accepted);
  EXPECT_EQ(sink.send({sent, 3}, {}).status, SinkResult::accepted);
  const auto written = lines("spans.jsonl");
  ASSERT_EQ(written.size(), 2U);
  const auto back = otlp::json_to_trace_request(written[1]);
  ASSERT_TRUE(back.has_value()) << back.error().message;
  MemorySink ours;
  MemorySink theirs;
  static_cast<void>(ours.send({sent, 3}, {}));
  static_cast<void>(theirs.send({*back, 3}, {}));
  ASSERT_EQ(theirs.spans().size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    const FinishedSpan a = ours.spans()[i];
    const FinishedSpan b = theirs.spans()[i];
    EXPECT_EQ(a.name, b.name);
    EXPECT_EQ(a.span_id, b.span_id);
    EXPECT_EQ(a.parent_id, b.parent_id);
    EXPECT_EQ(a.attributes, b.attributes);
    EXPECT_EQ(a.resource, b.resource);
    EXPECT_EQ(a.scope, b.scope);
    EXPECT_EQ(a.start_ns, b.start_ns);
    EXPECT_EQ(a.flags, b.flags);
    EXPECT_EQ(a.status_message, b.status_message);
    EXPECT_EQ(a.events.size(), b.events.size());
  }
}

TEST_F(FileTest, IsBoundedByRenaming) {
  const std::string sent = request();
  FileSink sink((folder_ / "spans.jsonl").string(), 6'000);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(sink.send({sent, 3}, {}).status, SinkResult::accepted);
  EXPECT_LE(fs::file_size(folder_ / "spans.jsonl"), 6'000U);
  EXPECT_LE(fs::file_size(folder_ / "spans.jsonl.1"), 6'000U);
  EXPECT_FALSE(lines("spans.jsonl.1").empty());
  fs::remove(folder_ / "spans.jsonl");
  EXPECT_EQ(sink.send({sent, 3}, {}).status, SinkResult::accepted);
  EXPECT_EQ(lines("spans.jsonl").size(), 1U);
}

TEST_F(FileTest, AFullDiskIsTriedAgain) {
  FileSink full("/dev/full", 1'000'000);
  const SinkResult result = full.send({request(), 3}, {});
  EXPECT_EQ(result.status, SinkResult::retry);
  EXPECT_NE(result.message.find("/dev/full"), std::string::npos);
  FileSink nowhere((folder_ / "missing" / "x").string(), 1'000'000);
  EXPECT_EQ(nowhere.send({request(), 3}, {}).status, SinkResult::retry);
}

TEST_F(FileTest, ComesBesideAnotherSink) {
  const auto memory = std::make_shared<MemorySink>();
  const std::string path = (folder_ / "spans.jsonl").string();
  auto provider = TracerProvider::create({.sink = memory, .file = path});
  {
    const auto one = span("one", {.provider = provider->get()});
  }
  EXPECT_TRUE((*provider)->force_flush());
  EXPECT_EQ(memory->tree(), "one\n");
  ASSERT_EQ(lines("spans.jsonl").size(), 1U);
  EXPECT_NE(lines("spans.jsonl")[0].find(R"("name":"one")"), std::string::npos);
}

TEST(ConsoleSink, ShowsATree) {
  const std::string text = ConsoleSink::to_tree(request());
  std::vector<std::size_t> starts;
  for (const char* line :
       {"span desk \"order", "\n  span desk \"check\"", "\n  span desk \"send\""}) {
    starts.push_back(text.find(line));
    EXPECT_NE(starts.back(), std::string::npos) << text;
  }
  EXPECT_TRUE(std::ranges::is_sorted(starts)) << text;
}

}  // namespace
}  // namespace alphaswarm::observability

#endif
