#include "alphaswarm/persistence/postgres_target.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <libpq-fe.h>
#include <netdb.h>

#include <algorithm>
#include <charconv>
#include <memory>

namespace alphaswarm::persistence::detail {
namespace {

std::string* find(PostgresTarget& target, std::string_view keyword) {
  const auto found =
      std::ranges::find(target.keywords, keyword, &std::pair<std::string, std::string>::first);
  return found == target.keywords.end() ? nullptr : &found->second;
}

bool is_numeric(const std::string& host) {
  in6_addr ignored{};
  return ::inet_pton(AF_INET, host.c_str(), &ignored) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), &ignored) == 1;
}

// One look-up under way in one of the C library's threads. It MUST stay where it is until it has
// ended.
struct Lookup {
  std::string host;
  addrinfo hints{};
  gaicb request{};
  ~Lookup() {
    if (request.ar_result != nullptr) ::freeaddrinfo(request.ar_result);
  }
};

std::unexpected<Error> no_address(const std::string& host, std::string_view why) {
  return fail(ErrorCode::unavailable,
              fmt::format("the address of the PostgreSQL server '{}' was not found: {} "
                          "(SQLSTATE 08001)",
                          host, why));
}

std::string addresses_of(const addrinfo* first) {
  std::string all;
  for (const addrinfo* entry = first; entry != nullptr; entry = entry->ai_next) {
    char text[INET6_ADDRSTRLEN];
    if (::getnameinfo(entry->ai_addr, entry->ai_addrlen, text, sizeof text, nullptr, 0,
                      NI_NUMERICHOST) != 0) {
      continue;
    }
    all.append(all.empty() ? "" : ",").append(text);
  }
  return all;
}

}  // namespace

Result<PostgresTarget> parse_postgres_url(std::string_view url) {
  const auto refuse = [](std::string_view what) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("the database URL is not understood: {}; use "
                            "postgresql://user:password@host:port/database?sslmode=… with special "
                            "characters percent-encoded (SQLSTATE 08001)",
                            what));
  };
  char* words = nullptr;
  const std::unique_ptr<PQconninfoOption, decltype(&::PQconninfoFree)> options(
      ::PQconninfoParse(std::string(url).c_str(), &words), &::PQconninfoFree);
  if (words != nullptr) ::PQfreemem(words);  // may quote the URL
  if (!options) return refuse("its form or one of its parameters is wrong");
  PostgresTarget target;
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->val != nullptr) target.keywords.emplace_back(option->keyword, option->val);
  }
  if (const std::string* host = find(target, "host")) target.host = *host;
  if (target.host.contains('@')) return refuse("there is an '@' in its host");
  if (target.host.empty()) target.host = "localhost";
  if (const std::string* port = find(target, "port")) {
    const char* end = port->data() + port->size();
    const auto [stop, error] = std::from_chars(port->data(), end, target.port);
    const bool list = port->contains(',');
    if (!list && (error != std::errc{} || stop != end || target.port < 1 || target.port > 65535)) {
      return refuse("its port is not a number from 1 to 65535");
    }
  }
  if (const std::string* database = find(target, "dbname")) target.database = *database;
  if (target.database.empty()) return refuse("it names no database");
  if (const std::string* password = find(target, "password")) target.password = *password;
  return target;
}

Result<std::string> resolve_within(const std::string& host, std::chrono::nanoseconds limit) {
  if (host.contains('/') || host.contains(',') || is_numeric(host)) return std::string();
  auto lookup = std::make_unique<Lookup>();
  lookup->host = host;
  lookup->hints.ai_socktype = SOCK_STREAM;
  lookup->request.ar_name = lookup->host.c_str();
  lookup->request.ar_request = &lookup->hints;
  gaicb* list[] = {&lookup->request};
  if (::getaddrinfo_a(GAI_NOWAIT, list, 1, nullptr) != 0) {
    return no_address(host, "no look-up could be started");
  }
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(limit);
  const timespec timeout{seconds.count(), (limit - seconds).count()};
  const gaicb* const waited[] = {&lookup->request};
  (void)::gai_suspend(waited, 1, &timeout);
  const int outcome = ::gai_error(&lookup->request);
  if (outcome == EAI_INPROGRESS) {
    // A look-up that runs cannot be called off; it writes into its memory whenever it ends.
    if (::gai_cancel(&lookup->request) == EAI_NOTCANCELED) (void)lookup.release();
    return no_address(host, "the name servers do not answer in time");
  }
  if (outcome != 0) return no_address(host, ::gai_strerror(outcome));
  return addresses_of(lookup->request.ar_result);
}

}  // namespace alphaswarm::persistence::detail
