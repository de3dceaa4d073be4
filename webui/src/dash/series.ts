// From the API's rows to what the charts draw. Times in seconds since 1970.
import type { Bar, Fill } from "./api";

export const toSeconds = (text: string) => Date.parse(text) / 1000;

export interface Series {
  times: number[];
  values: number[];
}

export interface Mark {
  time: number;
  price: number;
  side: "buy" | "sell";
  text: string;
  traceId: string | null;
  spanId: string | null;
}

export function closes(bars: Bar[], untilSeconds?: number): Series {
  const shown =
    untilSeconds === undefined
      ? bars
      : bars.filter((bar) => toSeconds(bar.timestamp) <= untilSeconds);
  return {
    times: shown.map((bar) => toSeconds(bar.timestamp)),
    values: shown.map((bar) => bar.close),
  };
}

/** What the same cash had become had it bought at the first close and held. */
export function buyAndHold(bars: Series, cash: number): Series {
  const first = bars.values[0] ?? 1;
  return { times: bars.times, values: bars.values.map((close) => (cash * close) / first) };
}

/** `values` at `times`: the last known before or at each; null before the first. Both ascending. */
export function resample(series: Series, times: number[]): (number | null)[] {
  let at = -1;
  return times.map((time) => {
    while (at + 1 < series.times.length && series.times[at + 1] <= time) at++;
    return at < 0 || time > series.times[series.times.length - 1] ? null : series.values[at];
  });
}

export function fillMarks(fills: Fill[], symbol: string): Mark[] {
  return fills
    .filter((fill) => fill.vt_symbol === symbol)
    .map((fill) => ({
      time: toSeconds(fill.filled_at),
      price: fill.price,
      side: fill.side,
      text: `${fill.side} ${fill.quantity} @ ${fill.price}`,
      traceId: fill.trace_id,
      spanId: fill.span_id,
    }))
    .sort((a, b) => a.time - b.time);
}
