#include "alphaswarm/persistence/bar_repository.hpp"

#include <algorithm>

#include "alphaswarm/persistence/columns.hpp"

namespace alphaswarm::persistence {
namespace {

constexpr std::size_t kWidth = 9;
constexpr std::string_view kInsert =
    "INSERT INTO bars (vt_symbol, interval, timestamp, open, high, low, close, volume, "
    "adjusted_close) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) "
    "ON CONFLICT (vt_symbol, interval, timestamp) DO NOTHING";
// Touches a row only if a value differs, so that what is counted as updated was changed.
constexpr std::string_view kUpdate =
    "UPDATE bars SET open = $1, high = $2, low = $3, close = $4, volume = $5, adjusted_close = $6 "
    "WHERE vt_symbol = $7 AND interval = $8 AND timestamp = $9 AND "
    "(open <> $1 OR high <> $2 OR low <> $3 OR close <> $4 OR volume <> $5 OR "
    "adjusted_close IS DISTINCT FROM $6)";

Result<UpsertCounts> upsert_in(SqlExecutor& transaction, std::span<const BarRow> rows) {
  UpsertCounts counts;
  std::vector<std::size_t> present;  // rows whose key was there
  const auto inserted = transaction.execute_each(
      kInsert, rows.size(), kWidth,
      [&](std::size_t i, std::span<Param> params) {
        const BarRow& bar = rows[i];
        params[0] = bar.vt_symbol;
        params[1] = bar.interval;
        params[2] = bar.timestamp;
        params[3] = bar.open;
        params[4] = bar.high;
        params[5] = bar.low;
        params[6] = bar.close;
        params[7] = bar.volume;
        params[8] = Param(bar.adjusted_close);
      },
      [&](std::size_t i, std::int64_t changed) {
        if (changed == 0) present.push_back(i);
      });
  if (!inserted) return std::unexpected(inserted.error());
  counts.inserted = *inserted;
  if (present.empty()) return counts;
  const auto updated = transaction.execute_each(kUpdate, present.size(), kWidth,
                                                [&](std::size_t i, std::span<Param> params) {
                                                  const BarRow& bar = rows[present[i]];
                                                  params[0] = bar.open;
                                                  params[1] = bar.high;
                                                  params[2] = bar.low;
                                                  params[3] = bar.close;
                                                  params[4] = bar.volume;
                                                  params[5] = Param(bar.adjusted_close);
                                                  params[6] = bar.vt_symbol;
                                                  params[7] = bar.interval;
                                                  params[8] = bar.timestamp;
                                                },
                                                {});
  if (!updated) return std::unexpected(updated.error());
  counts.updated = *updated;
  counts.unchanged = static_cast<std::int64_t>(present.size()) - *updated;
  return counts;
}

BarRow read_bar(const Row& row) {
  BarRow bar;
  bar.vt_symbol = row.text(0);
  bar.interval = row.text(1);
  bar.timestamp = row.time(2);
  bar.open = row.decimal(3);
  bar.high = row.decimal(4);
  bar.low = row.decimal(5);
  bar.close = row.decimal(6);
  bar.volume = row.decimal(7);
  detail::read_cell(row, 8, bar.adjusted_close);
  return bar;
}

}  // namespace

Result<UpsertCounts> BarRepository::upsert(std::span<const BarRow> rows) {
  if (rows.empty()) return UpsertCounts{};
  return in_transaction(executor_,
                        [&](SqlExecutor& transaction) { return upsert_in(transaction, rows); });
}

Result<std::vector<BarRow>> BarRepository::load(const BarQuery& query) {
  const std::string text =
      "SELECT vt_symbol, interval, timestamp, open, high, low, close, volume, adjusted_close "
      "FROM bars WHERE vt_symbol = $1 AND interval = $2 AND timestamp >= $3 AND timestamp < $4 "
      "ORDER BY timestamp " +
      std::string(query.latest ? "DESC" : "ASC") + " LIMIT $5";
  std::vector<BarRow> bars;
  const auto done =
      executor_.query(text, {query.vt_symbol, query.interval, query.start, query.end, query.limit},
                      [&](const Row& row) { bars.push_back(read_bar(row)); });
  if (!done) return std::unexpected(done.error());
  if (query.latest) std::reverse(bars.begin(), bars.end());
  return bars;
}

Result<std::int64_t> BarRepository::count(std::string_view vt_symbol, std::string_view interval) {
  return detail::select_count(executor_,
                              "SELECT count(*) FROM bars WHERE vt_symbol = $1 AND interval = $2",
                              {vt_symbol, interval});
}

Result<std::vector<SymbolSummary>> BarRepository::symbols() {
  std::vector<SymbolSummary> symbols;
  const auto done = executor_.query(
      "SELECT vt_symbol, interval, count(*), min(timestamp), max(timestamp) FROM bars "
      "GROUP BY vt_symbol, interval ORDER BY vt_symbol, interval",
      {}, [&](const Row& row) {
        symbols.push_back({std::string(row.text(0)), std::string(row.text(1)), row.integer(2),
                           row.time(3), row.time(4)});
      });
  if (!done) return std::unexpected(done.error());
  return symbols;
}

}  // namespace alphaswarm::persistence
