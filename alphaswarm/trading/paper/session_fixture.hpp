#pragma once

// For tests: a session's whole world on real parts. The exchange listens on a free port, the
// database is a file in a temporary folder, spans go to memory.

#include <gtest/gtest.h>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <cmath>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "alphaswarm/base/ids.hpp"
#include "alphaswarm/instrumentation/http_client.hpp"
#include "alphaswarm/instrumentation/http_server.hpp"
#include "alphaswarm/instrumentation/sql.hpp"
#include "alphaswarm/observability/export/memory.hpp"
#include "alphaswarm/persistence/bar_repository.hpp"
#include "alphaswarm/persistence/fill_repository.hpp"
#include "alphaswarm/persistence/ledger_repository.hpp"
#include "alphaswarm/persistence/order_repository.hpp"
#include "alphaswarm/persistence/signal_repository.hpp"
#include "alphaswarm/trading/exchange/exchange.hpp"
#include "alphaswarm/trading/paper/paper_tasks.hpp"

namespace alphaswarm::trading::paper {

namespace otel = alphaswarm::observability;

class SessionFixture : public ::testing::Test {
 protected:
  SessionFixture() {
    folder_ = std::filesystem::temp_directory_path() / ("alphaswarm-paper-" + random_uuid());
    std::filesystem::create_directories(folder_);
    paper_ = make_provider("alphaswarm-paper-trader");
    exchange_provider_ = make_provider("alphaswarm-exchange");
    server_observer_ =
        std::make_unique<instrumentation::TracingHttpServerObserver>(exchange_provider_.get());
    auto database = persistence::Database::open((folder_ / "test.db").string(), &sql_observer_);
    EXPECT_TRUE(database) << database.error().message;
    services_.database = *database;
    EXPECT_TRUE(persistence::migrate(*services_.database));
    services_.bus = tasks::make_memory_bus();
    services_.progress = std::make_shared<tasks::ProgressBus>(services_.bus, services_.database);
    net::HttpClientConfig client;
    client.observer = &client_observer_;
    http_ = std::make_unique<net::HttpClient>(runtime_, client);
    services_.http = http_.get();
    services_.provider = paper_.get();
    start_exchange();
  }
  ~SessionFixture() override {
    if (exchange_) exchange_->stop();
    runtime_.stop();
    services_ = {};
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  std::unique_ptr<otel::TracerProvider> make_provider(std::string name) {
    otel::Config config;
    config.service_name = std::move(name);
    config.sink = sink_;
    config.on_full_wait = true;
    auto made = otel::TracerProvider::create(std::move(config));
    EXPECT_TRUE(made) << made.error().message;
    return std::move(*made);
  }

  void start_exchange(exchange::ExchangeConfig config = {}, std::uint16_t port = 0) {
    config.port = port;
    config.observer = server_observer_.get();
    auto started = exchange::Exchange::start(exchange_runtime_, config);
    ASSERT_TRUE(started) << started.error().message;
    exchange_ = std::move(*started);
    services_.exchange_url = exchange_->base_url();
  }

  // A price that swings around a slow trend, so that a mean reversion trades often.
  static std::vector<persistence::BarRow> make_bars(int count, const std::string& symbol,
                                                    double phase = 0) {
    std::vector<persistence::BarRow> bars;
    const auto price = [phase](double day) {
      return 100 + day * 0.01 + 6 * std::sin(day / 9 + phase) + 3 * std::sin(day / 2.3 + phase);
    };
    for (int i = 0; i < count; ++i) {
      const Decimal open = Decimal::from_double(price(i)).rounded(2);
      const Decimal close = Decimal::from_double(price(i + 0.6)).rounded(2);
      persistence::BarRow bar;
      bar.vt_symbol = symbol;
      bar.interval = "1d";
      bar.timestamp = {(days_from_civil(2015, 1, 1) + i) * 86'400'000'000'000};
      bar.open = open;
      bar.close = close;
      bar.high = std::max(open, close) + Decimal::from_integer(1);
      bar.low = std::min(open, close) - Decimal::from_integer(1);
      bar.volume = Decimal::from_integer(1'000'000);
      bars.push_back(std::move(bar));
    }
    return bars;
  }
  void store_bars(int count, const std::string& symbol = "SWING.TEST", double phase = 0) {
    persistence::BarRepository repository(*services_.database);
    const auto bars = make_bars(count, symbol, phase);
    const auto stored = repository.upsert(bars);
    ASSERT_TRUE(stored) << stored.error().message;
  }

  static boost::json::object document(const std::string& changes = "{}") {
    boost::json::object base =
        boost::json::parse(R"({"session": {"universe": ["SWING.TEST"], "initial_cash": 100000},
          "strategy": {"name": "mean_reversion",
                       "params": {"lookback": 10, "z_threshold": 1.2, "position_pct": 0.15}}})")
            .as_object();
    for (auto& section : boost::json::parse(changes).as_object()) {
      if (!base.contains(section.key())) base[section.key()] = boost::json::object();
      for (auto& entry : section.value().as_object()) {
        base[section.key()].as_object()[entry.key()] = entry.value();
      }
    }
    return base;
  }

  Result<SessionResult> run(boost::json::object config, std::string task_id = {}) {
    return net::block_on(runtime_,
                         run_document(services_, std::move(config), "test", std::move(task_id)));
  }

  std::vector<otel::FinishedSpan> spans() {
    EXPECT_TRUE(paper_->force_flush());
    EXPECT_TRUE(exchange_provider_->force_flush());
    return sink_->spans();
  }
  static std::map<std::string, int> count_names(const std::vector<otel::FinishedSpan>& spans) {
    std::map<std::string, int> counts;
    for (const auto& span : spans) ++counts[span.name];
    return counts;
  }
  static int count_events(const std::vector<otel::FinishedSpan>& spans, const std::string& name) {
    int count = 0;
    for (const auto& span : spans) {
      for (const auto& event : span.events) count += event.name == name ? 1 : 0;
    }
    return count;
  }
  persistence::RunRow row_of(const std::string& run_id) {
    persistence::RunRepository runs(*services_.database);
    const auto row = runs.find(run_id);
    EXPECT_TRUE(row && *row);
    return row && *row ? **row : persistence::RunRow();
  }
  std::vector<persistence::OrderRow> orders_of(const std::string& run_id) {
    auto rows = persistence::OrderRepository(*services_.database).for_run(run_id, 100'000);
    EXPECT_TRUE(rows);
    std::ranges::sort(*rows, {}, &persistence::OrderRow::client_order_id);
    return *rows;
  }
  std::vector<persistence::FillRow> fills_of(const std::string& run_id) {
    auto rows = persistence::FillRepository(*services_.database).for_run(run_id, 100'000);
    EXPECT_TRUE(rows);
    std::ranges::sort(*rows, {}, &persistence::FillRow::client_order_id);
    return *rows;
  }
  std::vector<persistence::LedgerRow> ledger_of(const std::string& run_id) {
    auto rows = persistence::LedgerRepository(*services_.database).for_run(run_id, 100'000);
    EXPECT_TRUE(rows);
    return *rows;
  }

  std::filesystem::path folder_;
  std::shared_ptr<otel::MemorySink> sink_ = std::make_shared<otel::MemorySink>();
  std::unique_ptr<otel::TracerProvider> paper_, exchange_provider_;
  instrumentation::TracingHttpClientObserver client_observer_;
  instrumentation::TracingSqlObserver sql_observer_{nullptr, false};
  std::unique_ptr<instrumentation::TracingHttpServerObserver> server_observer_;
  net::Runtime exchange_runtime_{"exchange", 1};
  net::Runtime runtime_{"paper", 2};
  std::unique_ptr<net::HttpClient> http_;
  std::unique_ptr<exchange::Exchange> exchange_;
  Services services_;
};

}  // namespace alphaswarm::trading::paper
