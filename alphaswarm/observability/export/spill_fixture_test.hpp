#pragma once

// A folder for spilled batches, and providers that use it.

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "alphaswarm/observability/api/provider.hpp"
#include "alphaswarm/observability/export/spill_folder.hpp"
#include "alphaswarm/observability/export/test_server_test.hpp"
#include "alphaswarm/observability/sdk/test_support_test.hpp"
#include "alphaswarm/observability/tracing.hpp"

namespace alphaswarm::observability::testing {

constexpr std::string_view kNobody = "http://127.0.0.1:9";

class SpillTest : public ::testing::Test {
 protected:
  SpillTest() {
    static int number = 0;
    folder_ = std::filesystem::temp_directory_path() /
              ("spill_test." + std::to_string(::getpid()) + "." + std::to_string(++number));
  }
  ~SpillTest() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] SpillFolder folder(std::uint64_t max_bytes = 1U << 20U) const {
    auto made = SpillFolder::open(folder_.string(), max_bytes);
    EXPECT_TRUE(made.has_value()) << made.error().message;
    return std::move(*made);
  }
  [[nodiscard]] std::vector<std::filesystem::path> files(std::string_view suffix = ".spill") const {
    std::vector<std::filesystem::path> found;
    if (!std::filesystem::exists(folder_)) return found;
    for (const auto& each : std::filesystem::recursive_directory_iterator(folder_)) {
      if (each.path().string().ends_with(suffix)) found.push_back(each.path());
    }
    std::ranges::sort(found);
    return found;
  }
  [[nodiscard]] Config config(std::string_view endpoint) const {
    Config made;
    made.service_name = "desk/1";
    made.endpoint = endpoint;
    made.timeout_ms = 1'000;
    made.spill_folder = folder_.string();
    return made;
  }
  static std::unique_ptr<TracerProvider> provider(const Config& config) {
    auto made = TracerProvider::create(config);
    EXPECT_TRUE(made.has_value()) << made.error().message;
    return std::move(*made);
  }
  static void make_spans(TracerProvider& provider, int count, const std::string& prefix = "span ") {
    for (int i = 0; i < count; ++i) {
      span(prefix + std::to_string(i), {.provider = &provider}).end();
    }
  }
  static void expect_exact(const TracerProvider& provider) {
    const Stats stats = provider.stats();
    EXPECT_EQ(stats.started, stats.exported + stats.spilled + stats.dropped.total() + stats.open);
  }
  // How often each span id came to a server.
  static std::map<std::string, int> received(GrpcServer& server) {
    std::map<std::string, int> found;
    for (const testing::GrpcCall& call : server.calls()) {
      for (const auto& span : testing::spans_of(std::string_view(call.body).substr(5))) {
        ++found[span.one(2)];
      }
    }
    return found;
  }
  // Waits until the account says so: the export thread works by itself.
  template <class Condition>
  static void wait_until(TracerProvider& provider, Condition condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!condition(provider.stats()) && std::chrono::steady_clock::now() < end) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));  // nothing signals it
    }
    EXPECT_TRUE(condition(provider.stats()));
  }

  std::filesystem::path folder_;
};

}  // namespace alphaswarm::observability::testing
