#pragma once

// Serves queries and the web UI over HTTP (port 16686).

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "alphaswarm/base/error.hpp"
#include "alphaswarm/tracestore/memory_store.hpp"

namespace alphaswarm::query {

// A file of the web UI. The bytes live as long as the program.
struct StaticFile {
  std::string_view content_type;
  std::string_view encoding;  // "gzip", "br", or empty
  std::string_view bytes;
};
// Finds "/index.html", "/assets/app-3f2c.js"; nullopt if there is none. Any thread.
using StaticFiles = std::function<std::optional<StaticFile>(std::string_view path)>;

struct QueryServerConfig {
  std::string address = "127.0.0.1";
  std::uint16_t port = 16686;  // 0: any free one
  unsigned threads = 2;        // a long search keeps one of them busy
  StaticFiles static_files{};  // paths that no API has; unknown ones without an extension get
                               // "/index.html", because the page routes by itself
};

class QueryServer {
 public:
  [[nodiscard]] static Result<std::unique_ptr<QueryServer>> start(
      std::shared_ptr<tracestore::MemoryStore> store, QueryServerConfig config);
  ~QueryServer();
  QueryServer(const QueryServer&) = delete;
  QueryServer& operator=(const QueryServer&) = delete;

  [[nodiscard]] std::uint16_t port() const noexcept;
  void stop();

 private:
  class Impl;
  explicit QueryServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace alphaswarm::query
