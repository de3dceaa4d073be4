#pragma once

// One list of columns per table gives the texts to insert, update and select, the parameters and
// the reading, so that they cannot disagree. For the repositories' own use.

#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alphaswarm/persistence/database.hpp"

namespace alphaswarm::persistence::detail {

// Each repository specialises this for its row: kName, kKey (the identifying column), and
// `columns(row, visit)`, which calls visit(column name, member) for each column.
template <class RowType>
struct Table;

inline void read_cell(const Row& row, int column, std::string& out) { out = row.text(column); }
inline void read_cell(const Row& row, int column, double& out) { out = row.real(column); }
inline void read_cell(const Row& row, int column, bool& out) { out = row.integer(column) != 0; }
inline void read_cell(const Row& row, int column, std::int64_t& out) { out = row.integer(column); }
inline void read_cell(const Row& row, int column, Decimal& out) { out = row.decimal(column); }
inline void read_cell(const Row& row, int column, UnixNanos& out) { out = row.time(column); }
template <class T>
void read_cell(const Row& row, int column, std::optional<T>& out) {
  if (row.is_null(column)) return out.reset();
  read_cell(row, column, out.emplace());
}

template <class RowType>
std::vector<std::string_view> column_names() {
  static const RowType kEmpty{};
  std::vector<std::string_view> names;
  Table<RowType>::columns(kEmpty,
                          [&](std::string_view name, const auto&) { names.push_back(name); });
  return names;
}

// "INSERT INTO t (a, b) VALUES ($1, $2)"
template <class RowType>
const std::string& insert_text() {
  static const std::string kText = [] {
    std::string columns;
    std::string values;
    int number = 0;
    for (const std::string_view name : column_names<RowType>()) {
      const std::string_view comma = number == 0 ? "" : ", ";
      columns.append(comma).append(name);
      values.append(comma).append("$").append(std::to_string(++number));
    }
    return "INSERT INTO " + std::string(Table<RowType>::kName) + " (" + columns + ") VALUES (" +
           values + ")";
  }();
  return kText;
}

// "… ON CONFLICT (key) DO NOTHING"
template <class RowType>
const std::string& insert_new_text() {
  static const std::string kText = insert_text<RowType>() + " ON CONFLICT (" +
                                   std::string(Table<RowType>::kKey) + ") DO NOTHING";
  return kText;
}

// "a = {prefix}a, b = {prefix}b" without the key
template <class RowType>
std::string assignments(std::string_view prefix) {
  std::string text;
  for (const std::string_view name : column_names<RowType>()) {
    if (name == Table<RowType>::kKey) continue;
    if (!text.empty()) text += ", ";
    text.append(name).append(" = ").append(prefix).append(name);
  }
  return text;
}

template <class RowType>
const std::string& upsert_text() {
  static const std::string kText = insert_text<RowType>() + " ON CONFLICT (" +
                                   std::string(Table<RowType>::kKey) + ") DO UPDATE SET " +
                                   assignments<RowType>("excluded.");
  return kText;
}

// "UPDATE t SET b = $1, c = $2 WHERE a = $3"; its parameters are those of update_params.
template <class RowType>
const std::string& update_text() {
  static const std::string kText = [] {
    std::string text = "UPDATE " + std::string(Table<RowType>::kName) + " SET ";
    int number = 0;
    for (const std::string_view name : column_names<RowType>()) {
      if (name == Table<RowType>::kKey) continue;
      text.append(number == 0 ? "" : ", ").append(name).append(" = $");
      text.append(std::to_string(++number));
    }
    return text + " WHERE " + std::string(Table<RowType>::kKey) + " = $" +
           std::to_string(number + 1);
  }();
  return kText;
}

// "SELECT a, b FROM t {rest}"
template <class RowType>
std::string select_text(std::string_view rest) {
  std::string text = "SELECT ";
  for (const std::string_view name : column_names<RowType>()) {
    if (text.size() > 7) text += ", ";
    text += name;
  }
  return text + " FROM " + std::string(Table<RowType>::kName) + " " + std::string(rest);
}

template <class RowType>
std::vector<Param> params_of(const RowType& row) {
  std::vector<Param> params;
  Table<RowType>::columns(row,
                          [&](std::string_view, const auto& value) { params.emplace_back(value); });
  return params;
}

template <class RowType>
std::vector<Param> update_params(const RowType& row) {
  std::vector<Param> params;
  Param key(nullptr);
  Table<RowType>::columns(row, [&](std::string_view name, const auto& value) {
    if (name == Table<RowType>::kKey) {
      key = Param(value);
    } else {
      params.emplace_back(value);
    }
  });
  params.push_back(key);
  return params;
}

template <class RowType>
RowType read_row(const Row& row) {
  RowType result;
  int column = 0;
  Table<RowType>::columns(result,
                          [&](std::string_view, auto& value) { read_cell(row, column++, value); });
  return result;
}

template <class RowType>
Result<std::vector<RowType>> select_all(SqlExecutor& executor, const std::string& text,
                                        std::initializer_list<Param> params) {
  std::vector<RowType> rows;
  const auto done =
      executor.query(text, params, [&](const Row& row) { rows.push_back(read_row<RowType>(row)); });
  if (!done) return std::unexpected(done.error());
  return rows;
}

template <class RowType>
Result<std::optional<RowType>> select_one(SqlExecutor& executor, const std::string& text,
                                          std::initializer_list<Param> params) {
  std::optional<RowType> found;
  const auto done =
      executor.query(text, params, [&](const Row& row) { found = read_row<RowType>(row); });
  if (!done) return std::unexpected(done.error());
  return found;
}

// For statements that may be done twice without harm: also tried again where a lost connection
// leaves it open whether they were done.
[[nodiscard]] inline Result<std::int64_t> execute_idempotent(SqlExecutor& executor,
                                                             std::string_view sql,
                                                             std::span<const Param> params) {
  return repeated(executor, Effects::idempotent, [&] { return executor.execute(sql, params); });
}
[[nodiscard]] inline Result<std::int64_t> execute_idempotent(SqlExecutor& executor,
                                                             std::string_view sql,
                                                             std::initializer_list<Param> params) {
  return execute_idempotent(executor, sql, std::span<const Param>(params.begin(), params.size()));
}

template <class RowType>
Result<void> insert_row(SqlExecutor& executor, const RowType& row) {
  const auto done = executor.execute(insert_text<RowType>(), params_of(row));
  if (!done) return std::unexpected(done.error());
  return {};
}

// False if the key is already there.
template <class RowType>
Result<bool> insert_new_row(SqlExecutor& executor, const RowType& row) {
  const auto done = executor.execute(insert_new_text<RowType>(), params_of(row));
  if (!done) return std::unexpected(done.error());
  return *done != 0;
}

template <class RowType>
Result<void> update_row(SqlExecutor& executor, const RowType& row, const std::string& id) {
  const auto done = execute_idempotent(executor, update_text<RowType>(), update_params(row));
  if (!done) return std::unexpected(done.error());
  if (*done == 0) {
    return fail(ErrorCode::not_found,
                "table " + std::string(Table<RowType>::kName) + " has no row '" + id + "'");
  }
  return {};
}

// The answer of "SELECT count(*) …".
[[nodiscard]] inline Result<std::int64_t> select_count(SqlExecutor& executor, std::string_view text,
                                                       std::initializer_list<Param> params) {
  std::int64_t count = 0;
  const auto done = executor.query(text, params, [&](const Row& row) { count = row.integer(0); });
  if (!done) return std::unexpected(done.error());
  return count;
}

}  // namespace alphaswarm::persistence::detail
