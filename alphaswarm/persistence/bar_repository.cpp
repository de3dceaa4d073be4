#include "alphaswarm/persistence/bar_repository.hpp"

#include <algorithm>
#include <iterator>
#include <tuple>

#include "alphaswarm/persistence/columns.hpp"

namespace alphaswarm::persistence {
namespace {

constexpr std::string_view kColumns[] = {"vt_symbol", "interval", "timestamp",
                                         "open",      "high",     "low",
                                         "close",     "volume",   "adjusted_close"};
constexpr std::size_t kWidth = std::size(kColumns);
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

// PostgreSQL merges many rows through a table of the session's own, which COPY fills.
constexpr std::size_t kRowsWorthCopying = 500;
constexpr std::string_view kMakeIncoming =
    "CREATE TEMPORARY TABLE IF NOT EXISTS incoming_bars (LIKE bars) ON COMMIT DELETE ROWS";
constexpr std::string_view kEmptyIncoming = "TRUNCATE TABLE incoming_bars";
// Rows that are there and differ, by a join: half the work of finding each again as a conflict,
// which locks it before it is updated.
constexpr std::string_view kUpdateKnown =
    "UPDATE bars SET open = incoming.open, high = incoming.high, low = incoming.low, "
    "close = incoming.close, volume = incoming.volume, adjusted_close = incoming.adjusted_close "
    "FROM incoming_bars AS incoming WHERE bars.vt_symbol = incoming.vt_symbol AND "
    "bars.interval = incoming.interval AND bars.timestamp = incoming.timestamp AND "
    "(bars.open <> incoming.open OR bars.high <> incoming.high OR bars.low <> incoming.low OR "
    "bars.close <> incoming.close OR bars.volume <> incoming.volume OR "
    "bars.adjusted_close IS DISTINCT FROM incoming.adjusted_close)";
// The others that are not there. One that another transaction adds meanwhile is a conflict; a row
// version that was inserted, not updated, has no xmax.
constexpr std::string_view kInsertNew =
    "WITH merged AS (INSERT INTO bars (vt_symbol, interval, timestamp, open, high, low, close, "
    "volume, adjusted_close) SELECT vt_symbol, interval, timestamp, open, high, low, close, "
    "volume, adjusted_close FROM incoming_bars AS incoming WHERE NOT EXISTS (SELECT FROM bars "
    "WHERE bars.vt_symbol = incoming.vt_symbol AND bars.interval = incoming.interval AND "
    "bars.timestamp = incoming.timestamp) ON CONFLICT (vt_symbol, interval, timestamp) "
    "DO UPDATE SET open = excluded.open, high = excluded.high, low = excluded.low, "
    "close = excluded.close, volume = excluded.volume, adjusted_close = excluded.adjusted_close "
    "WHERE bars.open <> excluded.open OR bars.high <> excluded.high OR bars.low <> excluded.low "
    "OR bars.close <> excluded.close OR bars.volume <> excluded.volume "
    "OR bars.adjusted_close IS DISTINCT FROM excluded.adjusted_close "
    "RETURNING (xmax = 0) AS fresh) "
    "SELECT count(*) FILTER (WHERE fresh), count(*) FILTER (WHERE NOT fresh) FROM merged";

void bind_bar(const BarRow& bar, std::span<Param> params) {
  params[0] = bar.vt_symbol;
  params[1] = bar.interval;
  params[2] = bar.timestamp;
  params[3] = bar.open;
  params[4] = bar.high;
  params[5] = bar.low;
  params[6] = bar.close;
  params[7] = bar.volume;
  params[8] = Param(bar.adjusted_close);
}

Result<UpsertCounts> upsert_each(SqlExecutor& transaction, std::span<const BarRow> rows) {
  UpsertCounts counts;
  std::vector<std::size_t> present;  // rows whose key was there
  const auto inserted = transaction.execute_each(
      kInsert, rows.size(), kWidth,
      [&](std::size_t i, std::span<Param> params) { bind_bar(rows[i], params); },
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

bool key_less(const BarRow& a, const BarRow& b) {
  return std::tie(a.vt_symbol, a.interval, a.timestamp.value) <
         std::tie(b.vt_symbol, b.interval, b.timestamp.value);
}

// The rows in order of their keys, of equal keys only the last. One that gives way to a later one
// counts as if it had been there before.
std::vector<const BarRow*> distinct(std::span<const BarRow> rows, UpsertCounts& counts) {
  std::vector<const BarRow*> sorted;
  sorted.reserve(rows.size());
  for (const BarRow& row : rows) sorted.push_back(&row);
  // Equal keys stay in the order they came in, which is that of their addresses.
  const auto less = [](const BarRow* a, const BarRow* b) {
    return key_less(*a, *b) || (a < b && !key_less(*b, *a));
  };
  if (!std::ranges::is_sorted(sorted, less)) std::ranges::sort(sorted, less);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    if (i + 1 == sorted.size() || key_less(*sorted[i], *sorted[i + 1])) {
      sorted[kept++] = sorted[i];
    } else {
      ++(*sorted[i] == *sorted[i + 1] ? counts.unchanged : counts.updated);
    }
  }
  sorted.resize(kept);
  return sorted;
}

Result<UpsertCounts> merge(SqlExecutor& transaction, std::span<const BarRow> rows) {
  UpsertCounts counts;
  const std::vector<const BarRow*> bars = distinct(rows, counts);
  for (const std::string_view preparation : {kMakeIncoming, kEmptyIncoming}) {
    const auto done = transaction.execute(preparation);
    if (!done) return std::unexpected(done.error());
  }
  const auto copied = transaction.append(
      "incoming_bars", kColumns, bars.size(),
      [&](std::size_t i, std::span<Param> params) { bind_bar(*bars[i], params); });
  if (!copied) return std::unexpected(copied.error());
  const Result<std::int64_t> known = transaction.execute(kUpdateKnown);
  if (!known) return std::unexpected(known.error());
  std::int64_t inserted = 0;
  std::int64_t updated = *known;
  if (updated < static_cast<std::int64_t>(bars.size())) {
    const auto merged = transaction.query(kInsertNew, {}, [&](const Row& row) {
      inserted = row.integer(0);
      updated += row.integer(1);
    });
    if (!merged) return std::unexpected(merged.error());
  }
  counts.inserted += inserted;
  counts.updated += updated;
  counts.unchanged += static_cast<std::int64_t>(bars.size()) - inserted - updated;
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
  const bool copy = executor_.system() == "postgresql" && rows.size() >= kRowsWorthCopying;
  return in_transaction(
      executor_,
      [&](SqlExecutor& transaction) {
        return copy ? merge(transaction, rows) : upsert_each(transaction, rows);
      },
      Effects::idempotent);
}

Result<std::int64_t> BarRepository::insert_absent(std::span<const BarRow> rows) {
  if (rows.empty()) return 0;
  return in_transaction(
      executor_,
      [&](SqlExecutor& transaction) {
        return transaction.execute_each(
            kInsert, rows.size(), kWidth,
            [&](std::size_t i, std::span<Param> params) { bind_bar(rows[i], params); }, {});
      },
      Effects::idempotent);
}

Result<void> BarRepository::append(std::span<const BarRow> rows) {
  if (rows.empty()) return {};
  const auto done =
      executor_.append("bars", kColumns, rows.size(),
                       [&](std::size_t i, std::span<Param> params) { bind_bar(rows[i], params); });
  if (!done) return std::unexpected(done.error());
  return {};
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

Result<std::optional<std::string>> BarRepository::usual_interval(std::string_view vt_symbol) {
  std::optional<std::string> interval;
  // Both are found in the index without a look at more than a row.
  for (const std::string_view text :
       {std::string_view(
            "SELECT interval FROM bars WHERE vt_symbol = $1 AND interval = '1d' LIMIT 1"),
        std::string_view("SELECT min(interval) FROM bars WHERE vt_symbol = $1")}) {
    const auto done = executor_.query(text, {vt_symbol}, [&](const Row& row) {
      if (!row.is_null(0)) interval = std::string(row.text(0));
    });
    if (!done) return std::unexpected(done.error());
    if (interval) break;
  }
  return interval;
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
