#include "alphaswarm/api/schemas.hpp"

#include <array>

namespace alphaswarm::api {
namespace {

constexpr std::string_view kRunFields = R"(
id string UUID;
task_id string? of its task, null for a session from the command line;
trace_id string? 32 hex digits, null if it was not traced;
run_name string; strategy string; brokerage string the venue; feed string;
status one(pending,bootstrapping,warming_up,running,stopping,completed,cancelled,error,halted,stale);
status_reason string? why it is halted, stale, cancelled or in error;
started_at time?; last_heartbeat_at time?; stopped_at time?;
initial_cash number; final_equity number?;
total_return number? final_equity / initial_cash - 1;
realised_pnl number; max_drawdown number fraction of the peak;
bars_seen integer; orders_submitted integer; fills_count integer;
config object; error string?)";

constexpr std::string_view kRunDetailFields = R"(
id string; task_id string?; trace_id string?;
run_name string; strategy string; brokerage string; feed string;
status one(pending,bootstrapping,warming_up,running,stopping,completed,cancelled,error,halted,stale);
status_reason string?; started_at time?; last_heartbeat_at time?; stopped_at time?;
initial_cash number; final_equity number?; total_return number?; realised_pnl number;
max_drawdown number; bars_seen integer; orders_submitted integer; fills_count integer;
config object; error string?;
equity number now, marked at the last close seen;
state object what the session resumes from;
orders Order[] newest first; fills Fill[] newest first; ledger LedgerEntry[] newest first;
positions Position[] open ones; equity_curve EquityPoint[] by time, thinned)";

constexpr std::string_view kBacktestFields = R"(
id string UUID; task_id string?; trace_id string?; run_name string; strategy string;
engine string; status one(pending,running,completed,cancelled,error);
start time? first bar; end time? last bar; initial_cash number; final_equity number?;
total_return number? fraction; sharpe number?; sortino number?; calmar number?;
max_drawdown number? fraction of the peak; annual_volatility number?; turnover number?;
bars_count integer; orders_count integer; fills_count integer;
dataset_hash string? SHA-256 of the data used; config object; error string?;
created_at time?; finished_at time?)";

constexpr std::string_view kOrderFields = R"(
client_order_id string chosen by the sender, the same on every span, log line and row;
broker_order_id string?; run_id string?; venue string; vt_symbol string;
side one(buy,sell); order_type one(market,limit,stop,stop_limit);
time_in_force one(day,gtc,ioc); quantity number; filled_quantity number;
average_price number?; limit_price number?; stop_price number?;
status one(submitting,new,partial,filled,cancelled,rejected,expired); status_reason string?;
trace_id string?; span_id string? of its paper.session.submit_order span;
created_at time?; updated_at time?)";

constexpr auto kSchemas = std::to_array<SchemaText>({
    {"ErrorDetail", "What went wrong, in a sentence.", "detail string"},
    {"ValidationError", "One mistake in the input.",
     "loc string[] where, e.g. body, config, session, max_bars; msg string; type string; "
     "input any what was given"},
    {"ValidationErrors", "Everything that is wrong with the input.", "detail ValidationError[]"},
    {"TaskAccepted", "A worker will do it; follow it at stream_url.",
     "task_id string; status one(queued); stream_url string a WebSocket"},
    {"ServiceInfo", "Where things are.",
     "service string; version string; health string; docs string; openapi string; "
     "dashboard string; traces string?"},
    {"Dependency", "Something the service needs.",
     "status one(ok,away); required boolean; detail string"},
    {"Health", "How the service is.",
     "status one(ok,degraded); version string; dependencies Dependency{}"},
    {"Alive", "The process answers.", "status one(ok); version string"},
    {"StartRequest", "A configuration and a name for the run.",
     "config object; run_name? string? instead of the configuration's"},
    {"BacktestRun", "One backtest.", kBacktestFields},
    {"CurvePoint", "A value at a bar's close.", "timestamp time; value number"},
    {"Curve", "A line of a chart.", "run_id string; points CurvePoint[] by time"},
    {"PaperRun", "One paper trading session.", kRunFields},
    {"PaperRunDetail", "A session with what it did.", kRunDetailFields},
    {"StopAnswer", "Whether the session was asked to stop.",
     "task_id string; reason string; ok boolean false if it had already ended"},
    {"EquityPoint", "Equity at a bar's close.",
     "timestamp time; equity number; drawdown number fraction below the peak so far"},
    {"Order", "An order as last heard of.", kOrderFields},
    {"Fill", "One execution of an order.",
     "id string; client_order_id string; run_id string?; vt_symbol string; side one(buy,sell); "
     "quantity number; price number; commission number; filled_at time the market's time; "
     "trace_id string?; span_id string?; created_at time?"},
    {"LedgerEntry", "What happened and why.",
     "id string; run_id string?; client_order_id string?; "
     "entry_type one(SIGNAL,ORDER,FILL,RISK,META); level one(info,warning,error); message string; "
     "payload object; trace_id string?; span_id string?; created_at time?"},
    {"Position", "What a session holds.",
     "run_id string; run_name string; vt_symbol string; quantity number negative is short; "
     "average_cost number; mark number the last known close; value number; "
     "unrealised_pnl number; realised_pnl number"},
    {"RunPnl", "Profit and loss of a session.",
     "run_id string; run_name string; status string; initial_cash number; equity number; "
     "realised_pnl number; unrealised_pnl number; total_return number?; max_drawdown number"},
    {"KillSwitch", "While it is engaged no new order is sent.", "engaged boolean; reason string"},
    {"KillSwitchRequest", "Engage or release.",
     "engage boolean; reason? string? why, shown wherever the switch is"},
    {"IngestRequest", "A file or folder of bars to read.",
     "path string a file or folder on the server; format? one(csv)? csv; "
     "glob? string? which files of a folder, *.csv; "
     "column_map? string{}? field to the name of its column; "
     "tz? string? of times without a zone: UTC or an offset like +02:00; "
     "symbol? string? for files without a symbol column; exchange? string? for symbols without "
     "one; interval? string? where the file's own distance of bars misleads; "
     "overwrite? boolean?"},
    {"SymbolSummary", "What bars there are.",
     "vt_symbol string TICKER.EXCHANGE; interval string; count integer; first time; last time"},
    {"Bar", "Trading over one interval.",
     "timestamp time its start; open number; high number; low number; close number; "
     "volume number; adjusted_close number?"},
    {"Bars", "Bars by time.", "vt_symbol string; count integer; bars Bar[]"},
    {"Venue", "A venue that takes orders.",
     "venue string; configured boolean; note string? what it is, or what to set to configure it; "
     "host string? where its API is; "
     "account string? whose money: simulated, paper or live, null where the host does not tell"},
    {"VenueStatus", "Whether it answers.", "venue string; connected boolean; detail string"},
    {"VenueAccount", "The account at a venue.",
     "venue string; id string; status string; cash number; equity number; buying_power number"},
    {"VenuePosition", "What the account holds.",
     "vt_symbol string; quantity number negative is short; average_cost number; mark number; "
     "value number; unrealised_pnl number"},
    {"OrderRequest", "An order to send.",
     "vt_symbol string TICKER.EXCHANGE; side one(buy,sell); quantity number above 0; "
     "order_type? one(market,limit,stop,stop_limit) market; time_in_force? one(day,gtc,ioc) day; "
     "limit_price? number? for limit and stop_limit; stop_price? number? for stop and stop_limit; "
     "client_order_id? string? an order has it once, however often it is sent"},
    {"CancelAnswer", "The order is cancelled.", "venue string; order_id string; ok boolean"},
    {"Task", "A task, whoever runs it.",
     "task_id string; name string; queue string; "
     "status string PENDING, STARTED, RETRY, SUCCESS, FAILURE, REVOKED; "
     "result any? of SUCCESS; error string? of FAILURE, RETRY, REVOKED; "
     "traceback string? of FAILURE in Python; retries integer; worker string?; "
     "trace_id string?; created_at time?; started_at time?; finished_at time?"},
    {"ProgressFrame", "Where a task is.",
     "task_id string; stage string done and error are the last; message string; "
     "timestamp number seconds since 1970; tags object; traceparent? string"},
    {"DashboardConfig", "What the dashboard must know.", "traceUiUrl string"},
});

}  // namespace

std::span<const SchemaText> schemas() { return kSchemas; }

}  // namespace alphaswarm::api
