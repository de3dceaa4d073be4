// One line for each operation of a trace: the table view, and what a folded row says of its members.
import { kStatusError, quantile, type TraceColumns } from "./columns";

export interface OperationRow {
  service: number;
  name: number;
  count: number;
  errors: number;
  total: number;
  self: number;
  p50: number;
  p99: number;
  max: number;
  slowest: number;
}

export function summarizeOperations(columns: TraceColumns): OperationRow[] {
  const groups = new Map<number, number[]>();
  for (let span = 0; span < columns.count; span++) {
    const key = columns.service[span] * columns.names.length + columns.name[span];
    const group = groups.get(key);
    if (group) group.push(span);
    else groups.set(key, [span]);
  }
  return Array.from(groups.values(), (spans) => summarize(columns, spans));
}

function summarize(columns: TraceColumns, spans: ArrayLike<number>): OperationRow {
  const durations = new Float64Array(spans.length);
  const row: OperationRow = {
    service: columns.service[spans[0]],
    name: columns.name[spans[0]],
    count: spans.length,
    errors: 0,
    total: 0,
    self: 0,
    p50: 0,
    p99: 0,
    max: 0,
    slowest: spans[0],
  };
  for (let i = 0; i < spans.length; i++) {
    const span = spans[i];
    durations[i] = columns.duration[span];
    row.total += columns.duration[span];
    row.self += columns.self[span];
    if (columns.status[span] === kStatusError) row.errors++;
    if (columns.duration[span] > columns.duration[row.slowest]) row.slowest = span;
  }
  durations.sort();
  row.p50 = quantile(durations, 0.5);
  row.p99 = quantile(durations, 0.99);
  row.max = durations[durations.length - 1];
  return row;
}

export interface Spread {
  p50: number;
  p99: number;
  max: number;
  min: number;
  total: number;
  /** Counts by duration on a logarithmic scale from min to max. */
  bins: Uint32Array;
}

/** How the durations of some spans are spread. */
export function spreadOf(columns: TraceColumns, members: Uint32Array, binCount: number): Spread {
  const sorted = new Float64Array(members.length);
  let total = 0;
  for (let i = 0; i < members.length; i++) {
    sorted[i] = columns.duration[members[i]];
    total += sorted[i];
  }
  sorted.sort();
  const min = Math.max(1, sorted[0]);
  const max = Math.max(min, sorted[sorted.length - 1]);
  const bins = new Uint32Array(binCount);
  const scale = max > min ? (binCount - 1e-6) / Math.log(max / min) : 0;
  for (const value of sorted)
    bins[Math.min(binCount - 1, Math.floor(Math.log(Math.max(1, value) / min) * scale))]++;
  return { p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99), min, max, total, bins };
}
