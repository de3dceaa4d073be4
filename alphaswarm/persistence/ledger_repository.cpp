#include "alphaswarm/persistence/ledger_repository.hpp"

#include "alphaswarm/base/ids.hpp"
#include "alphaswarm/persistence/columns.hpp"

namespace alphaswarm::persistence {

template <>
struct detail::Table<LedgerRow> {
  static constexpr std::string_view kName = "ledger_entries";
  static constexpr std::string_view kKey = "id";
  template <class Self, class Visit>
  static void columns(Self& row, Visit&& visit) {
    visit("id", row.id);
    visit("run_id", row.run_id);
    visit("client_order_id", row.client_order_id);
    visit("entry_type", row.entry_type);
    visit("level", row.level);
    visit("message", row.message);
    visit("payload_json", row.payload_json);
    visit("trace_id", row.trace_id);
    visit("span_id", row.span_id);
    visit("created_at", row.created_at);
  }
};

namespace {

LedgerRow completed(const LedgerRow& row) {
  LedgerRow complete = row;
  if (complete.id.empty()) complete.id = random_uuid();
  if (complete.created_at.value == 0) complete.created_at = now_unix();
  return complete;
}

}  // namespace

Result<void> LedgerRepository::append(const LedgerRow& row) {
  return detail::insert_row(executor_, completed(row));
}

Result<void> LedgerRepository::append(std::span<const LedgerRow> rows) {
  if (rows.empty()) return {};
  std::vector<LedgerRow> complete;
  complete.reserve(rows.size());
  for (const LedgerRow& row : rows) complete.push_back(completed(row));
  const std::size_t width = detail::column_names<LedgerRow>().size();
  const auto done = executor_.execute_each(
      detail::insert_new_text<LedgerRow>(), complete.size(), width,
      [&](std::size_t i, std::span<Param> params) {
        std::size_t column = 0;
        detail::Table<LedgerRow>::columns(complete[i], [&](std::string_view, const auto& value) {
          params[column++] = Param(value);
        });
      },
      {});
  if (!done) return std::unexpected(done.error());
  return {};
}

Result<std::vector<LedgerRow>> LedgerRepository::list(std::int64_t limit) {
  static const std::string kText =
      detail::select_text<LedgerRow>("ORDER BY sequence DESC LIMIT $1");
  return detail::select_all<LedgerRow>(executor_, kText, {limit});
}

Result<std::vector<LedgerRow>> LedgerRepository::for_run(std::string_view run_id,
                                                         std::int64_t limit) {
  static const std::string kText =
      detail::select_text<LedgerRow>("WHERE run_id = $1 ORDER BY sequence DESC LIMIT $2");
  return detail::select_all<LedgerRow>(executor_, kText, {run_id, limit});
}

Result<std::int64_t> LedgerRepository::count_for_run(std::string_view run_id) {
  return detail::select_count(executor_, "SELECT count(*) FROM ledger_entries WHERE run_id = $1",
                              {run_id});
}

}  // namespace alphaswarm::persistence
