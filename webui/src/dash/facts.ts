// What a session's rows say, in the words and numbers the panel shows.
import { formatMoney } from "../shared/format";
import type { LedgerEntry, PaperRunDetail } from "./api";

/** A decimal that may come as text; undefined where there is none. */
function decimal(value: unknown): number | undefined {
  const number =
    typeof value === "string" || typeof value === "number" ? Number(value) : Number.NaN;
  return Number.isFinite(number) ? number : undefined;
}

function inside(value: unknown, ...path: string[]): unknown {
  return path.reduce<unknown>(
    (at, key) => (at as Record<string, unknown> | undefined)?.[key],
    value,
  );
}

/** How much of each limit is used, as fractions of equity (or of the day's and the peak's). */
export function riskUse(run: PaperRunDetail) {
  const last = run.equity_curve[run.equity_curve.length - 1];
  const equity = run.equity ?? last?.equity ?? run.final_equity ?? run.initial_cash;
  const values = run.positions.map((position) => Math.abs(position.value));
  const dayStart = decimal(inside(run.state, "loop", "risk", "day_start"));
  const stateEquity = decimal(inside(run.state, "loop", "risk", "equity"));
  return {
    position: Math.max(0, ...values) / Math.max(1, equity),
    exposure: values.reduce((a, b) => a + b, 0) / Math.max(1, equity),
    drawdown: last?.drawdown ?? run.max_drawdown,
    dailyLoss:
      dayStart && stateEquity !== undefined ? Math.max(0, 1 - stateEquity / dayStart) : undefined,
  };
}

/** A ledger line short enough for its column; the whole message where its payload is not as expected. */
export function ledgerText(entry: LedgerEntry, oneSymbol: boolean): string {
  const { payload } = entry;
  const [price, quantity, score] = [
    decimal(payload.price),
    decimal(payload.quantity),
    decimal(payload.score),
  ];
  const symbol = oneSymbol || typeof payload.symbol !== "string" ? "" : ` ${payload.symbol}`;
  if (entry.entry_type === "FILL" && price !== undefined && quantity !== undefined)
    return `${payload.side} ${quantity}${symbol} @ ${formatMoney(price)}`;
  if (
    entry.entry_type === "ORDER" &&
    quantity !== undefined &&
    entry.level === "info" &&
    typeof payload.type === "string"
  )
    return `${payload.side} ${quantity}${symbol} ${payload.type}`;
  if (entry.entry_type === "SIGNAL" && typeof payload.signal === "string" && score !== undefined)
    return `${payload.signal.replaceAll("_", " ")}${symbol}, score ${score < 0 ? "−" : ""}${Math.abs(score).toFixed(2)}`;
  return entry.message;
}
