#include "alphaswarm/persistence/fill_repository.hpp"

#include "alphaswarm/base/ids.hpp"
#include "alphaswarm/persistence/columns.hpp"

namespace alphaswarm::persistence {

template <>
struct detail::Table<FillRow> {
  static constexpr std::string_view kName = "fills";
  static constexpr std::string_view kKey = "id";
  template <class Self, class Visit>
  static void columns(Self& row, Visit&& visit) {
    visit("id", row.id);
    visit("client_order_id", row.client_order_id);
    visit("run_id", row.run_id);
    visit("vt_symbol", row.vt_symbol);
    visit("side", row.side);
    visit("quantity", row.quantity);
    visit("price", row.price);
    visit("commission", row.commission);
    visit("filled_at", row.filled_at);
    visit("trace_id", row.trace_id);
    visit("span_id", row.span_id);
    visit("created_at", row.created_at);
  }
};

Result<bool> FillRepository::insert(const FillRow& row) {
  FillRow complete = row;
  if (complete.id.empty()) complete.id = random_uuid();
  if (complete.created_at.value == 0) complete.created_at = now_unix();
  return detail::insert_new_row(executor_, complete);
}

Result<std::vector<FillRow>> FillRepository::list(std::int64_t limit) {
  static const std::string kText = detail::select_text<FillRow>("ORDER BY sequence DESC LIMIT $1");
  return detail::select_all<FillRow>(executor_, kText, {limit});
}

Result<std::vector<FillRow>> FillRepository::for_run(std::string_view run_id, std::int64_t limit) {
  static const std::string kText =
      detail::select_text<FillRow>("WHERE run_id = $1 ORDER BY sequence DESC LIMIT $2");
  return detail::select_all<FillRow>(executor_, kText, {run_id, limit});
}

Result<std::vector<FillRow>> FillRepository::for_order(std::string_view client_order_id) {
  static const std::string kText =
      detail::select_text<FillRow>("WHERE client_order_id = $1 ORDER BY sequence");
  return detail::select_all<FillRow>(executor_, kText, {client_order_id});
}

Result<std::int64_t> FillRepository::count_for_run(std::string_view run_id) {
  return detail::select_count(executor_, "SELECT count(*) FROM fills WHERE run_id = $1", {run_id});
}

}  // namespace alphaswarm::persistence
