#pragma once

// What the services run on: the settings of every module, read once at start-up.

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "alphaswarm/base/error.hpp"
#include "alphaswarm/config/environment.hpp"
#include "alphaswarm/persistence/database.hpp"

namespace alphaswarm::cli {

struct Address {
  std::string host;  // numeric
  std::uint16_t port = 0;
};

struct Settings {
  std::filesystem::path data_dir;
  std::string database_url;  // with a scheme
  persistence::DatabaseOptions database;
  bool sql_comments = false;
  std::string redis_url;         // memory://, redis:// or rediss://
  std::string redis_pubsub_url;  // likewise; where the messages go
  std::string kill_switch_key;
  Address api;
  Address exchange;
  std::string exchange_url;  // where the sim broker finds the exchange
  std::string trace_ui_url;
  std::string collector_host;  // where collector and trace pages listen: numeric
  unsigned worker_concurrency = 4;
  std::chrono::seconds task_visibility{3600};
  std::string excluded_urls;  // regular expressions over the path, comma between
  std::size_t trace_store_bytes = 0;
  std::size_t trace_log_bytes = 0;
};

struct SettingsOverrides {
  std::filesystem::path data_dir;  // empty: the setting
  int port_offset = 0;             // added to every port, those in URLs of this machine included
  int port = 0;                    // of the one service that runs; 0: the setting
};

// invalid_argument: names the variable, its value and what is allowed. Makes the data folder.
[[nodiscard]] Result<Settings> read_settings(const config::Environment& environment,
                                             const SettingsOverrides& overrides);

// Every variable of every module, in the order of the reference page.
[[nodiscard]] std::vector<config::Setting> all_settings();

// "name value (source)" or a Markdown table with meanings: every variable of every module.
[[nodiscard]] std::string settings_listing(const config::Environment& environment, bool markdown);

// No task can reach a worker of another process over memory://.
[[nodiscard]] inline bool is_memory(const Settings& settings) {
  return settings.redis_url.starts_with("memory://");
}

}  // namespace alphaswarm::cli
