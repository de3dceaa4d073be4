#include "alphaswarm/trading/ingestion/columns.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace alphaswarm::trading {
namespace {

constexpr std::array<std::string_view, kFieldCount> kFields{
    "date", "time", "open", "high", "low", "close", "adj_close", "volume", "symbol"};

// What files call the fields, best first: a file with "close" and "price" means "close".
constexpr std::array<std::pair<std::string_view, Field>, 21> kAliases{{
    {"date", Field::date},
    {"datetime", Field::date},
    {"timestamp", Field::date},
    {"time", Field::time},
    {"open", Field::open},
    {"openprice", Field::open},
    {"high", Field::high},
    {"highprice", Field::high},
    {"low", Field::low},
    {"lowprice", Field::low},
    {"close", Field::close},
    {"closeprice", Field::close},
    {"last", Field::close},
    {"price", Field::close},
    {"adjclose", Field::adj_close},
    {"adjustedclose", Field::adj_close},
    {"volume", Field::volume},
    {"vol", Field::volume},
    {"symbol", Field::symbol},
    {"ticker", Field::symbol},
    {"vtsymbol", Field::symbol},
}};

std::string plain(std::string_view name) {
  std::string result;
  for (const char c : name) {
    if (c == ' ' || c == '_' || c == '.' || c == '-') continue;
    result += c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  }
  return result;
}

using Indices = std::array<std::optional<std::size_t>, kFieldCount>;

Result<void> apply_map(const std::vector<std::string>& names,
                       const std::map<std::string, std::string>& column_map, Indices& indices) {
  for (const auto& [ours, theirs] : column_map) {
    const auto field = std::ranges::find(kFields, std::string_view(ours));
    if (field == kFields.end()) {
      return fail(ErrorCode::invalid_argument,
                  fmt::format("column_map: '{}' is not a field: one of {}", ours.substr(0, 64),
                              fmt::join(kFields, ", ")));
    }
    const auto column = std::ranges::find(names, plain(theirs));
    if (column == names.end()) {
      return fail(ErrorCode::invalid_argument,
                  fmt::format("column_map: the file has no column '{}'", theirs.substr(0, 64)));
    }
    indices[static_cast<std::size_t>(field - kFields.begin())] =
        static_cast<std::size_t>(column - names.begin());
  }
  return {};
}

}  // namespace

std::string_view to_string(Field field) noexcept {
  return kFields[static_cast<std::size_t>(field)];
}

Result<Columns> Columns::from_header(const std::vector<std::string_view>& header,
                                     const std::map<std::string, std::string>& column_map) {
  std::vector<std::string> names;
  for (const std::string_view name : header) names.push_back(plain(name));
  Columns columns;
  columns.count_ = header.size();
  if (const Result<void> mapped = apply_map(names, column_map, columns.index_); !mapped) {
    return std::unexpected(mapped.error());
  }
  for (const auto& [alias, field] : kAliases) {
    std::optional<std::size_t>& index = columns.index_[static_cast<std::size_t>(field)];
    if (index) continue;
    const auto found = std::ranges::find(names, alias);
    if (found == names.end()) continue;
    if (std::find(found + 1, names.end(), alias) != names.end()) {
      return fail(
          ErrorCode::invalid_argument,
          fmt::format("two columns are called '{}'; name the right one in column_map", alias));
    }
    index = static_cast<std::size_t>(found - names.begin());
  }
  // A lone time column is the whole timestamp.
  std::optional<std::size_t>& date = columns.index_[static_cast<std::size_t>(Field::date)];
  if (!date) date = std::exchange(columns.index_[static_cast<std::size_t>(Field::time)], {});
  for (const Field needed : {Field::date, Field::close}) {
    if (columns.has(needed)) continue;
    return fail(
        ErrorCode::invalid_argument,
        fmt::format(
            "the file has no {} column (its columns are {}); name it in column_map",
            to_string(needed),
            fmt::join(header.begin(),
                      header.begin() + std::min<std::ptrdiff_t>(std::ssize(header), 20), ", ")));
  }
  return columns;
}

}  // namespace alphaswarm::trading
