// The trading service's API, same origin. Times are RFC 3339 texts, numbers are plain, what is not there
// is null. Every request carries a trace context of its own, so that it can be found among the traces; but
// for those that only ask again for what the page already shows, which would fill the list of the newest.
import { type QueryFunctionContext, useQuery } from "@tanstack/react-query";
import { newTraceparent, RequestError, type RequestOptions, requestJson } from "../shared/http";

export type RunStatus =
  | "pending"
  | "bootstrapping"
  | "warming_up"
  | "running"
  | "stopping"
  | "completed"
  | "cancelled"
  | "error"
  | "halted"
  | "stale";

export interface RunConfig {
  session?: { universe?: string[]; max_bars?: number | null; initial_cash?: number };
  strategy?: { name?: string; params?: Record<string, unknown> };
  brokerage?: { venue?: string };
  feed?: {
    kind?: string;
    params?: {
      interval?: string;
      start?: string;
      end?: string;
      speed?: number;
      mode?: string;
      poll_seconds?: number;
      warmup_bars?: number;
    };
  };
  risk?: RiskLimits;
}
export interface RiskLimits {
  max_position_pct?: number | string;
  max_daily_loss_pct?: number | string;
  max_drawdown_pct?: number | string;
  max_gross_exposure?: number | string;
}

export interface PaperRun {
  id: string;
  task_id: string | null;
  trace_id: string | null;
  run_name: string;
  strategy: string;
  brokerage: string;
  feed: string;
  status: RunStatus;
  status_reason: string | null;
  started_at: string | null;
  last_heartbeat_at: string | null;
  stopped_at: string | null;
  initial_cash: number;
  final_equity: number | null;
  total_return: number | null;
  realised_pnl: number;
  max_drawdown: number;
  bars_seen: number;
  orders_submitted: number;
  fills_count: number;
  config: RunConfig;
  error: string | null;
}
export interface Order {
  client_order_id: string;
  broker_order_id: string | null;
  run_id: string | null;
  venue: string;
  vt_symbol: string;
  side: "buy" | "sell";
  order_type: string;
  quantity: number;
  filled_quantity: number;
  average_price: number | null;
  limit_price: number | null;
  stop_price: number | null;
  status: string;
  status_reason: string | null;
  trace_id: string | null;
  span_id: string | null;
  created_at: string | null;
}
export interface Fill {
  id: string;
  client_order_id: string;
  vt_symbol: string;
  side: "buy" | "sell";
  quantity: number;
  price: number;
  commission: number;
  filled_at: string;
  trace_id: string | null;
  span_id: string | null;
}
export interface LedgerEntry {
  id: string;
  client_order_id: string | null;
  entry_type: "SIGNAL" | "ORDER" | "FILL" | "RISK" | "META";
  level: "info" | "warning" | "error";
  message: string;
  payload: Record<string, unknown>;
  trace_id: string | null;
  span_id: string | null;
  created_at: string | null;
}
export interface Position {
  vt_symbol: string;
  quantity: number;
  average_cost: number;
  mark: number;
  value: number;
  unrealised_pnl: number;
  realised_pnl: number;
}
export interface PaperRunDetail extends PaperRun {
  /** At the last bar; null before the first. */
  equity?: number | null;
  state: Record<string, unknown>;
  orders: Order[];
  fills: Fill[];
  ledger: LedgerEntry[];
  positions: Position[];
  equity_curve: { timestamp: string; equity: number; drawdown: number }[];
}
export interface BacktestRun {
  id: string;
  task_id: string | null;
  trace_id: string | null;
  run_name: string;
  strategy: string;
  engine: string;
  status: RunStatus;
  start: string | null;
  end: string | null;
  initial_cash: number;
  final_equity: number | null;
  total_return: number | null;
  sharpe: number | null;
  sortino: number | null;
  calmar: number | null;
  max_drawdown: number | null;
  annual_volatility: number | null;
  turnover: number | null;
  bars_count: number;
  orders_count: number;
  fills_count: number;
  dataset_hash: string | null;
  config: RunConfig;
  error: string | null;
  created_at: string | null;
  finished_at: string | null;
}
export interface Bar {
  timestamp: string;
  open: number;
  high: number;
  low: number;
  close: number;
  volume: number;
}
export interface SymbolSummary {
  vt_symbol: string;
  interval: string;
  count: number;
  first: string;
  last: string;
}
/** Names one series of bars: a symbol at an interval. */
export const seriesKey = (s: SymbolSummary) => `${s.vt_symbol} ${s.interval}`;
export interface TaskAccepted {
  task_id: string;
  status: string;
  stream_url: string;
}
export interface KillSwitchState {
  engaged: boolean;
  reason: string;
}
export interface Venue {
  venue: string;
  configured: boolean;
  note: string | null;
  /** Where its API is; null where it is not configured. */
  host: string | null;
  /** Whose money: "simulated", "paper" or "live"; null where its host does not tell. */
  account: string | null;
}
export interface Curve {
  run_id: string;
  points: { timestamp: string; value: number }[];
}

export function call<T>(
  path: string,
  { traced = true, ...options }: RequestOptions & { traced?: boolean } = {},
): Promise<T> {
  return requestJson<T>(path, { ...options, headers: { traceparent: newTraceparent(traced) } });
}

/** A query of that path: traced until there is an answer, not while that is only kept fresh. */
export const read =
  <T>(path: string) =>
  ({ client, queryKey, signal }: QueryFunctionContext) =>
    call<T>(path, { signal, traced: client.getQueryData(queryKey) === undefined });

export const kActive: ReadonlySet<RunStatus> = new Set([
  "pending",
  "bootstrapping",
  "warming_up",
  "running",
  "halted", // goes on when the kill switch is released, or without opening positions
  "stopping",
]);

const kLivelyMs = 2500;
const kCalmMs = 10_000;
/** A list is asked for often only while something in it moves. */
const whileActive = (rows: unknown) =>
  (rows as { status: RunStatus }[] | undefined)?.some((row) => kActive.has(row.status))
    ? kLivelyMs
    : kCalmMs;

/** Asks again every `everyMs`, and every three seconds while nobody answers. */
function polled(everyMs: number | false | ((data: unknown) => number | false)) {
  return {
    retry: false,
    refetchInterval: ({
      state: { error, data },
    }: {
      state: { error: Error | null; data?: unknown };
    }) => {
      const usual = typeof everyMs === "function" ? everyMs(data) : everyMs;
      if (!(error instanceof RequestError)) return usual;
      // What is not there is not asked for again: lists say when it is.
      return error.gone ? 3000 : error.status === 404 ? false : usual;
    },
  };
}

export const useConfig = () =>
  useQuery({
    queryKey: ["config"],
    queryFn: read<{ traceUiUrl: string }>("/dash/config.json"),
    staleTime: 60_000,
    retry: false,
  });
export const useRuns = () =>
  useQuery({
    queryKey: ["runs"],
    queryFn: read<PaperRun[]>("/paper/runs?limit=200"),
    ...polled(whileActive),
  });
export const useBacktests = () =>
  useQuery({
    queryKey: ["backtests"],
    queryFn: read<BacktestRun[]>("/backtest/runs?limit=200"),
    ...polled(whileActive),
  });
export const useSymbols = () =>
  useQuery({
    queryKey: ["symbols"],
    queryFn: read<SymbolSummary[]>("/data"),
    ...polled(10_000),
  });
export const useKillSwitch = () =>
  useQuery({
    queryKey: ["kill"],
    queryFn: read<KillSwitchState>("/portfolio/kill_switch"),
    ...polled(5000),
  });

export const useVenues = () =>
  useQuery({
    queryKey: ["venues"],
    queryFn: read<Venue[]>("/brokers"),
    ...polled(10_000),
  });

// Tasks that this page has queued: until a worker takes one, there is no run to ask for.
const queued = new Set<string>();
export const markQueued = (taskId: string) => queued.add(taskId);
export const isQueued = (taskId: string) => queued.has(taskId);

export const useRun = (id: string, active: boolean, listed: boolean) =>
  useQuery({
    queryKey: ["run", id],
    queryFn: read<PaperRunDetail>(`/paper/runs/${encodeURIComponent(id)}?limit=2000&points=2000`),
    enabled: id !== "" && (listed || !queued.has(id)),
    ...polled(active ? 1500 : false),
  });
export const useBacktest = (id: string, active: boolean, listed: boolean) =>
  useQuery({
    queryKey: ["backtest", id],
    queryFn: read<BacktestRun>(`/backtest/runs/${encodeURIComponent(id)}`),
    enabled: id !== "" && (listed || !queued.has(id)),
    ...polled(active ? 1500 : false),
  });
export const useCurve = (id: string, kind: "equity" | "drawdown", ready: boolean) =>
  useQuery({
    queryKey: ["curve", id, kind],
    queryFn: read<Curve>(`/backtest/runs/${encodeURIComponent(id)}/plot/${kind}`),
    enabled: ready && id !== "",
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });

export function useBars(
  symbol: string,
  interval: string | undefined,
  start?: string,
  end?: string,
  { refreshMs = false, known = true }: { refreshMs?: number | false; known?: boolean } = {},
) {
  const parameters = new URLSearchParams({ limit: "20000" });
  if (interval) parameters.set("interval", interval);
  if (start) parameters.set("start", start);
  if (end) parameters.set("end", end);
  return useQuery({
    queryKey: ["bars", symbol, String(parameters)],
    queryFn: read<{ bars: Bar[] }>(`/data/${encodeURIComponent(symbol)}/bars?${parameters}`),
    enabled: symbol !== "" && known,
    staleTime: 60_000,
    refetchInterval: refreshMs,
    retry: false,
  });
}
