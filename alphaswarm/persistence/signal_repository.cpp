#include "alphaswarm/persistence/signal_repository.hpp"

#include "alphaswarm/base/ids.hpp"
#include "alphaswarm/persistence/columns.hpp"

namespace alphaswarm::persistence {

template <>
struct detail::Table<SignalRow> {
  static constexpr std::string_view kName = "signals";
  static constexpr std::string_view kKey = "id";
  template <class Self, class Visit>
  static void columns(Self& row, Visit&& visit) {
    visit("id", row.id);
    visit("run_id", row.run_id);
    visit("strategy", row.strategy);
    visit("vt_symbol", row.vt_symbol);
    visit("bar_time", row.bar_time);
    visit("side", row.side);
    visit("strength", row.strength);
    visit("reason", row.reason);
    visit("trace_id", row.trace_id);
    visit("span_id", row.span_id);
    visit("created_at", row.created_at);
  }
};

Result<void> SignalRepository::append(const SignalRow& row) {
  SignalRow complete = row;
  if (complete.id.empty()) complete.id = random_uuid();
  if (complete.created_at.value == 0) complete.created_at = now_unix();
  const auto done = detail::insert_new_row(executor_, complete);
  if (!done) return std::unexpected(done.error());
  return {};
}

Result<std::vector<SignalRow>> SignalRepository::for_run(std::string_view run_id,
                                                         std::int64_t limit) {
  static const std::string kText =
      detail::select_text<SignalRow>("WHERE run_id = $1 ORDER BY sequence DESC LIMIT $2");
  return detail::select_all<SignalRow>(executor_, kText, {run_id, limit});
}

Result<std::int64_t> SignalRepository::count_for_run(std::string_view run_id) {
  return detail::select_count(executor_, "SELECT count(*) FROM signals WHERE run_id = $1",
                              {run_id});
}

}  // namespace alphaswarm::persistence
