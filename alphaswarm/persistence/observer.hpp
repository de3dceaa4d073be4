#pragma once

// How others watch the database work, e.g. to trace it. This module knows no tracing.

#include <memory>
#include <string>
#include <string_view>

#include "alphaswarm/base/error.hpp"

namespace alphaswarm::persistence {

// Pointer-sized, opaque: what an observer returns from `started` comes back in `finished`.
using ObserverToken = void*;

// What is about to run. The views live until `finished` returns.
struct SqlStatementInfo {
  std::string_view text;       // parameterised: placeholders, never values; empty for `connect`
  std::string_view operation;  // "INSERT", "SELECT", "BEGIN", "COMMIT", …; "connect"
  std::string_view target;     // the table, e.g. "orders"; empty where there is none
  std::string_view system;     // "sqlite" or "postgresql"
  std::string_view database;   // its name: for SQLite the file name without its folder
  std::string_view server_address = {};  // host as configured; empty for SQLite
  int server_port = 0;                   // 0 for SQLite
  // The observer's own, to be used in `started`: empty when the connection prepares this statement,
  // and the same each time it runs again. Null where it is not kept prepared.
  std::shared_ptr<void>* notes = nullptr;
};

// Both calls come on the thread that runs the statement, in the task slot of the caller, once
// each and properly nested. Implementations MUST be thread-safe and MUST NOT throw or use the
// database. A batch (execute_each) is one statement. BEGIN, COMMIT and ROLLBACK are reported
// because that is where the time goes: BEGIN waits for the writer, COMMIT for the disk.
class SqlObserver {
 public:
  virtual ~SqlObserver() = default;
  virtual ObserverToken started(const SqlStatementInfo& statement) noexcept = 0;
  // What to write behind the text of this statement before it goes to a server, e.g.
  // "/*traceparent='…'*/"; usually empty. Such a text is another one each time, so it is sent
  // unprepared and the connection's prepared statements stay as they are; it costs the server a
  // parse and a plan. Not asked for SQLite, nor for batches and BEGIN, COMMIT, ROLLBACK.
  virtual std::string comment(ObserverToken token) noexcept {
    (void)token;
    return {};
  }
  // `error` is null on success; `sqlstate` is then empty, else five characters, e.g. "23505".
  virtual void finished(ObserverToken token, const Error* error,
                        std::string_view sqlstate) noexcept = 0;
};

}  // namespace alphaswarm::persistence
