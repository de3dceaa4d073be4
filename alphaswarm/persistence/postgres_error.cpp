#include "alphaswarm/persistence/postgres_error.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace alphaswarm::persistence::detail {
namespace {

struct Mapping {
  std::string_view sqlstate;  // or its beginning
  ErrorCode code;
  std::string_view sentence;  // {0} the database, {1} the server's words
};

// The first that fits. Where it has no {1}, the server's words would quote a value.
constexpr Mapping kMappings[] = {
    {"23505", ErrorCode::already_exists, "{0} already has such a row: {1}"},
    {"23503", ErrorCode::invalid_argument,
     "{0} refuses a row that refers to one that does not exist: {1}"},
    {"23502", ErrorCode::invalid_argument, "{0} refuses a row with a value missing: {1}"},
    {"23514", ErrorCode::invalid_argument, "{0} refuses a value: {1}"},
    {"23", ErrorCode::invalid_argument, "{0} refuses a row: {1}"},
    {"22001", ErrorCode::invalid_argument, "{0} refuses a text that is too long"},
    {"22003", ErrorCode::invalid_argument, "{0} refuses a number that is out of range"},
    {"22021", ErrorCode::invalid_argument,
     "{0} refuses a text with a zero byte or that is not UTF-8"},
    {"22", ErrorCode::invalid_argument, "{0} refuses a value that does not fit its column"},
    {"40001", ErrorCode::conflict, "a concurrent transaction on {0} won: {1}"},
    {"40P01", ErrorCode::conflict, "transactions on {0} waited for one another: {1}"},
    {"55P03", ErrorCode::unavailable, "{0} is locked by another writer; try again later: {1}"},
    {"53100", ErrorCode::resource_exhausted,
     "the disk of {0} is full; free space and try again: {1}"},
    {"53200", ErrorCode::resource_exhausted, "no memory left for {0}: {1}"},
    {"53300", ErrorCode::resource_exhausted,
     "the server of {0} takes no more connections; lower ALPHASWARM_DATABASE_MAX_CONNECTIONS or "
     "raise the server's max_connections: {1}"},
    {"53", ErrorCode::resource_exhausted, "{0} has reached a limit: {1}"},
    {"25006", ErrorCode::permission_denied, "{0} may not be written: {1}"},
    {"25P02", ErrorCode::internal,
     "the database has rolled this transaction back after an earlier error"},
    {"42501", ErrorCode::permission_denied, "{0} may not be used so: {1}"},
    {"28", ErrorCode::unauthenticated,
     "{0} refuses the user or password of ALPHASWARM_DATABASE_URL: {1}"},
    {"3D000", ErrorCode::not_found, "{0} does not exist on its server; create it: {1}"},
    {"57014", ErrorCode::deadline_exceeded,
     "a statement on {0} took longer than the statement timeout: {1}"},
    {"57P", ErrorCode::unavailable, "the server of {0} is stopping or starting: {1}"},
    {"08", ErrorCode::unavailable, "the connection to {0} failed: {1}"},
    {"58", ErrorCode::internal, "reading or writing {0} failed: {1}"},
    {"54", ErrorCode::invalid_argument, "a statement or value is too big for {0}: {1}"},
    {"XX001", ErrorCode::data_loss, "{0} is corrupt; restore it from a copy: {1}"},
    {"XX002", ErrorCode::data_loss, "{0} is corrupt; restore it from a copy: {1}"},
    {"42", ErrorCode::internal, "{0} does not understand a statement: {1}"},
    {"", ErrorCode::internal, "{0} failed: {1}"},
};

}  // namespace

SqlError postgres_error(std::string_view database, std::string_view sqlstate,
                        std::string_view words) {
  const auto* mapping = std::ranges::find_if(kMappings, [&](const Mapping& candidate) {
    return sqlstate.starts_with(candidate.sqlstate);
  });
  std::string message = fmt::format(fmt::runtime(mapping->sentence), database, words);
  message += fmt::format(" (SQLSTATE {})", sqlstate);
  return {fail(mapping->code, std::move(message)).error(), std::string(sqlstate)};
}

SqlError lost_connection(std::string_view database, std::string_view sqlstate,
                         std::string_view words) {
  std::string_view sentence = "no connection to {0}: {1}";
  if (sqlstate == "08006") sentence = "the connection to {0} was lost; what ran is undone: {1}";
  if (sqlstate == "08007") {
    sentence = "the connection to {0} was lost, and whether what ran was done is not known: {1}";
  }
  std::string message = fmt::format(fmt::runtime(sentence), database, words);
  message += fmt::format(" (SQLSTATE {})", sqlstate);
  return {fail(ErrorCode::unavailable, std::move(message)).error(), std::string(sqlstate)};
}

std::string without_password(std::string_view text, const PostgresTarget& target) {
  std::string clean(text);
  if (!target.password.empty()) {
    for (std::size_t at = clean.find(target.password); at != std::string::npos;
         at = clean.find(target.password, at + 3)) {
      clean.replace(at, target.password.size(), "***");
    }
  }
  std::erase(clean, '\t');
  std::ranges::replace(clean, '\n', ' ');
  while (clean.ends_with(' ')) clean.pop_back();
  return clean;
}

}  // namespace alphaswarm::persistence::detail
