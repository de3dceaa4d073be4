#include "alphaswarm/api/routes/data.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "alphaswarm/api/input.hpp"
#include "alphaswarm/api/routes/start_task.hpp"
#include "alphaswarm/trading/market/types.hpp"

namespace alphaswarm::api {
namespace {

using persistence::BarRepository;
using persistence::BarRow;

constexpr std::int64_t kDefaultBars = 5'000;
constexpr std::int64_t kMostBars = 50'000;

net::HttpResponse symbols(const ApiDependencies& service, const net::HttpRequest&) {
  return list_reply(BarRepository(service.database).symbols());
}

std::string read_interval(QueryReader& query) {
  const std::string given = query.text("interval");
  if (given.empty()) return {};
  const Result<trading::Interval> interval = trading::parse_interval(given);
  if (interval) return std::string(to_string(*interval));
  query.report("interval", interval.error().message, "invalid");
  return {};
}

net::HttpResponse bars(const ApiDependencies& service, const net::HttpRequest& request) {
  const std::string vt_symbol(path_param(request, "vt_symbol"));
  QueryReader query(request);
  persistence::BarQuery range{.vt_symbol = vt_symbol, .latest = true};
  range.limit = query.limit(kDefaultBars, kMostBars);
  if (const auto start = query.time("start")) range.start = *start;
  if (const auto end = query.time("end")) range.end = *end;
  std::string interval = read_interval(query);
  if (auto invalid = query.finish()) return std::move(*invalid);

  BarRepository repository(service.database);
  const Result<std::optional<std::string>> usual = repository.usual_interval(vt_symbol);
  if (!usual) return error_reply(usual.error());
  if (!*usual) return unknown_reply("symbol with bars", vt_symbol);
  if (interval.empty()) interval = **usual;
  range.interval = interval;
  const Result<std::vector<BarRow>> rows = repository.load(range);
  if (!rows) return error_reply(rows.error());
  JsonWriter json;
  json.begin_object().field("vt_symbol", vt_symbol).field("count", rows->size()).key("bars");
  write_array(json, std::span<const BarRow>(*rows));
  json.end_object();
  return reply(std::move(json));
}

}  // namespace

void add_data_routes(RouteTable& table, const Context& context) {
  table.add({.method = "POST",
             .path = "/data/ingest",
             .tag = "data",
             .summary = "Read bars from files",
             .request = "IngestRequest",
             .response = "TaskAccepted",
             .status = 202,
             .errors = {422, 503}},
            handler(context, ingest));
  table.add({.method = "GET",
             .path = "/data",
             .tag = "data",
             .summary = "What bars there are",
             .response = "SymbolSummary[]"},
            handler(context, symbols));
  table.add({.method = "GET",
             .path = "/data/{vt_symbol}/bars",
             .tag = "data",
             .summary = "Bars of a symbol",
             .query = {{"start", "time", "first, inclusive"},
                       {"end", "time", "last, exclusive"},
                       {"interval", "string", "1m, 1h, 1d, 1w, 1mo"},
                       {"limit", "integer", "the latest so many, 1 to 50000 (5000)"}},
             .response = "Bars",
             .errors = {404, 422}},
            handler(context, bars));
}

}  // namespace alphaswarm::api
