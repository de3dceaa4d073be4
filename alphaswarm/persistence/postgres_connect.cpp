// How a PostgreSQL connection comes to stand, and ends.

#include <fmt/format.h>
#include <libpq-fe.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cctype>
#include <utility>

#include "alphaswarm/persistence/postgres_connection.hpp"
#include "alphaswarm/persistence/postgres_error.hpp"

namespace alphaswarm::persistence::detail {
namespace {

bool is_sqlstate(std::string_view text) {
  return text.size() == 5 && std::ranges::all_of(text, [](unsigned char c) {
           return std::isdigit(c) != 0 || std::isupper(c) != 0;
         });
}

// libpq does not give the SQLSTATE of a refused connection, but writes "…:  28P01: words\n" when
// told to be verbose. Of several attempts the last counts.
SqlError connection_error(std::string_view text, const PostgresTarget& target) {
  for (std::size_t at = text.rfind(":  "); at != std::string_view::npos && at != 0;
       at = text.rfind(":  ", at - 1)) {
    const std::string_view rest = text.substr(at + 3);
    if (rest.size() < 7 || !is_sqlstate(rest.substr(0, 5)) || rest[5] != ':') continue;
    const std::string_view words = rest.substr(7, rest.find('\n') - 7);
    return postgres_error(target.database, rest.substr(0, 5), without_password(words, target));
  }
  return lost_connection(target.database, "08001", without_password(text, target));
}

}  // namespace

Result<std::unique_ptr<PostgresConnection>> PostgresConnection::open(
    const PostgresTarget& target, const DatabaseOptions& options) {
  std::unique_ptr<PostgresConnection> connection(new PostgresConnection(target, options));
  const StatementText text{"connect", ""};
  Observation observation(options.observer, connection->info("", text));
  const SqlResult<void> connected = connection->connect();
  observation.finish(connected ? nullptr : &connected.error());
  if (!connected) return std::unexpected(connected.error().error);
  return connection;
}

PostgresConnection::~PostgresConnection() {
  // So that the polite goodbye cannot wait for a peer that is gone.
  if (broken_ && handle_ != nullptr) ::shutdown(::PQsocket(handle_), SHUT_RDWR);
  ::PQfinish(handle_);
}

SqlResult<void> PostgresConnection::start_connecting(const std::string& addresses) {
  auto keywords = target_.keywords;
  const auto find = [&](std::string_view name) {
    return std::ranges::find(keywords, name, &std::pair<std::string, std::string>::first);
  };
  const auto fallback = [&](std::string_view name, std::string value) {
    if (find(name) == keywords.end()) keywords.emplace_back(name, std::move(value));
  };
  const auto force = [&](std::string_view name, std::string value) {
    if (const auto found = find(name); found != keywords.end()) keywords.erase(found);
    keywords.emplace_back(name, std::move(value));
  };
  if (!addresses.empty() && find("hostaddr") == keywords.end()) {
    // As many names as addresses; the names are for TLS.
    std::string hosts = target_.host;
    for (const char c : addresses) {
      if (c == ',') hosts += "," + target_.host;
    }
    force("host", hosts);
    force("hostaddr", addresses);
  }
  std::string settings =
      fmt::format("-c statement_timeout={} -c lock_timeout={} -c client_min_messages=warning",
                  options_.statement_timeout.count(), options_.busy_timeout.count());
  if (const auto given = find("options"); given != keywords.end()) settings += " " + given->second;
  force("options", settings);
  force("client_encoding", "UTF8");
  fallback("fallback_application_name", "alphaswarm");
  // A peer whose machine is gone is noticed between statements, too.
  fallback("keepalives_idle", "10");
  fallback("keepalives_interval", "5");
  fallback("keepalives_count", "3");
  fallback("tcp_user_timeout", std::to_string(options_.statement_timeout.count()));
  std::vector<const char*> names;
  std::vector<const char*> values;
  for (const auto& [name, value] : keywords) {
    names.push_back(name.c_str());
    values.push_back(value.c_str());
  }
  names.push_back(nullptr);
  values.push_back(nullptr);
  handle_ = ::PQconnectStartParams(names.data(), values.data(), 0);
  if (handle_ == nullptr) {
    return std::unexpected(postgres_error(target_.database, "53200", "libpq has no memory"));
  }
  if (::PQstatus(handle_) == CONNECTION_BAD) {
    return std::unexpected(connection_error(::PQerrorMessage(handle_), target_));
  }
  ::PQsetErrorVerbosity(handle_, PQERRORS_VERBOSE);
  ::PQsetNoticeProcessor(handle_, [](void*, const char*) {}, nullptr);
  return {};
}

SqlResult<void> PostgresConnection::connect() {
  broken_ = true;  // until it stands
  const Clock::time_point until = Clock::now() + options_.connect_timeout;
  const auto addresses = resolve_within(target_.host, options_.connect_timeout);
  if (!addresses) return std::unexpected(SqlError{addresses.error(), "08001"});
  if (auto started = start_connecting(*addresses); !started) return started;
  for (short events = POLLOUT;;) {
    if (!wait(events, until)) {
      return std::unexpected(
          lost_connection(target_.database, "08001",
                          fmt::format("{} did not answer within {} ms", target_.host,
                                      options_.connect_timeout.count())));
    }
    switch (::PQconnectPoll(handle_)) {
      case PGRES_POLLING_OK:
        ::PQsetErrorVerbosity(handle_, PQERRORS_DEFAULT);
        ::PQsetnonblocking(handle_, 1);
        broken_ = false;
        return {};
      case PGRES_POLLING_FAILED:
        return std::unexpected(connection_error(::PQerrorMessage(handle_), target_));
      case PGRES_POLLING_READING:
        events = POLLIN;
        break;
      default:
        events = POLLOUT;
        break;
    }
  }
}

}  // namespace alphaswarm::persistence::detail
