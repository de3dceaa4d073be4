// One trace as typed arrays: what the worker computes once and every view reads. Nothing here touches
// the DOM; all functions are linear in the number of spans unless they say otherwise.
import type { TraceWire } from "../api";

export const kStatusError = 2;
const kServer = 2;
const kConsumer = 5;
const kOverviewBins = 1200;

export interface Overview {
  bins: number;
  /** Mean number of open spans by bin and service, [bin * services + service]; the whole trace. */
  active: Float32Array;
  /** Failed spans by the bin in which they start. */
  errors: Uint32Array;
  peak: number;
}

export interface TraceColumns {
  traceId: string;
  startNs: string;
  durationNs: number;
  services: string[];
  names: string[];
  labels: string[];
  count: number;
  /** 8 bytes a span, as in the trace. */
  ids: Uint8Array;
  parent: Int32Array;
  service: Uint16Array;
  name: Uint32Array;
  kind: Uint8Array;
  status: Uint8Array;
  /** Nanoseconds since the start of the trace. */
  start: Float64Array;
  duration: Float64Array;
  label: Uint32Array;
  events: Uint16Array;
  depth: Uint16Array;
  /** The children of span i, by start time: children[childOffset[i] … childOffset[i + 1]]; the roots are those of span `count`. */
  childOffset: Uint32Array;
  children: Uint32Array;
  /** Spans below and including this one; the failed among them; the latest end among them. */
  subtreeSize: Uint32Array;
  subtreeErrors: Uint32Array;
  subtreeEnd: Float64Array;
  /** Time of a span that no child of it accounts for. */
  self: Float64Array;
  errorCount: number;
  servicesSpans: Uint32Array;
  orphans: number;
  openSpans: number;
  complete: boolean;
  overview: Overview;
  insight: Insight | null;
}

/** The one part of the trace that took unusually long for its kind. */
export interface Insight {
  span: number;
  medianNs: number;
  likeCount: number;
  ratio: number;
  failedBelow: number;
  selfShare: number;
}

/** The value of a hexadecimal digit: '0'–'9', 'a'–'f' and 'A'–'F' by their codes. */
function nibble(code: number): number {
  return code < 58 ? code - 48 : (code & 31) + 9;
}

function hexToBytes(hex: string, into: Uint8Array, at: number) {
  for (let i = 0; i < 8; i++)
    into[at + i] = (nibble(hex.charCodeAt(2 * i)) << 4) | nibble(hex.charCodeAt(2 * i + 1));
}

export function spanId(columns: TraceColumns, span: number): string {
  let text = "";
  for (let i = 8 * span; i < 8 * span + 8; i++)
    text += columns.ids[i].toString(16).padStart(2, "0");
  return text;
}

/** The span with this id, or -1. */
export function findSpan(columns: TraceColumns, id: string): number {
  if (!/^[0-9a-f]{16}$/i.test(id)) return -1;
  const wanted = new Uint8Array(8);
  hexToBytes(id, wanted, 0);
  const { ids, count } = columns;
  next: for (let span = 0; span < count; span++) {
    for (let i = 0; i < 8; i++) if (ids[8 * span + i] !== wanted[i]) continue next;
    return span;
  }
  return -1;
}

/**
 * Whether all that is missing is who called: the one span at the top serves a request or a message whose
 * sender reports no spans, as a browser or another company's program.
 */
export function calledFromOutside(columns: TraceColumns): boolean {
  const { count, childOffset, children, kind, orphans, openSpans } = columns;
  const tops = childOffset[count + 1] - childOffset[count];
  const top = kind[children[childOffset[count]]];
  return orphans === 1 && openSpans === 0 && tops === 1 && (top === kServer || top === kConsumer);
}

export function childrenOf(columns: TraceColumns, span: number): Uint32Array {
  return columns.children.subarray(columns.childOffset[span], columns.childOffset[span + 1]);
}

/** A number that is equal for spans of one service and operation. */
export function operationKey(columns: TraceColumns, span: number): number {
  return columns.service[span] * columns.names.length + columns.name[span];
}

/** Parents as they can be drawn: those outside the trace and those in a circle become roots. */
function soundParents(parents: readonly number[]): Int32Array {
  const count = parents.length;
  const parent = Int32Array.from(parents, (p, i) => (p >= 0 && p < count && p !== i ? p : -1));
  const state = new Uint8Array(count); // 1: on the way up just now, 2: known to reach a root
  for (let i = 0; i < count; i++) {
    let at = i;
    while (at >= 0 && state[at] === 0) {
      state[at] = 1;
      at = parent[at];
    }
    if (at >= 0 && state[at] === 1) parent[at] = -1;
    for (at = i; at >= 0 && state[at] === 1; at = parent[at]) state[at] = 2;
  }
  return parent;
}

/** Children by parent; as spans come by start time, so do the children. */
function buildChildren(parent: Int32Array): { childOffset: Uint32Array; children: Uint32Array } {
  const count = parent.length;
  const childOffset = new Uint32Array(count + 2);
  for (let i = 0; i < count; i++) childOffset[(parent[i] < 0 ? count : parent[i]) + 1]++;
  for (let i = 0; i <= count; i++) childOffset[i + 1] += childOffset[i];
  const next = childOffset.slice(0, count + 1);
  const children = new Uint32Array(count);
  for (let i = 0; i < count; i++) children[next[parent[i] < 0 ? count : parent[i]]++] = i;
  return { childOffset, children };
}

/** Every span after its parent, whatever the clocks said. */
function topDown(childOffset: Uint32Array, children: Uint32Array): Uint32Array {
  const count = children.length;
  const order = new Uint32Array(count);
  let filled = 0;
  for (let c = childOffset[count]; c < childOffset[count + 1]; c++) order[filled++] = children[c];
  for (let read = 0; read < filled; read++) {
    const span = order[read];
    for (let c = childOffset[span]; c < childOffset[span + 1]; c++) order[filled++] = children[c];
  }
  return order;
}

function selfTime(
  span: number,
  c: Pick<TraceColumns, "start" | "duration" | "childOffset" | "children">,
): number {
  const from = c.start[span];
  const to = from + c.duration[span];
  let covered = 0;
  let reached = from;
  for (let k = c.childOffset[span]; k < c.childOffset[span + 1]; k++) {
    const child = c.children[k];
    const childFrom = Math.max(c.start[child], reached);
    const childTo = Math.min(c.start[child] + c.duration[child], to);
    if (childTo > childFrom) {
      covered += childTo - childFrom;
      reached = childTo;
    }
  }
  return c.duration[span] - covered;
}

function buildOverview(
  c: Pick<
    TraceColumns,
    "start" | "duration" | "service" | "status" | "durationNs" | "services" | "count"
  >,
): Overview {
  const bins = kOverviewBins;
  const width = Math.max(c.durationNs, 1) / bins;
  const services = c.services.length;
  const active = new Float32Array(bins * services);
  const whole = new Float64Array((bins + 1) * services); // differences: +1 where full cover begins, -1 where it ends
  const errors = new Uint32Array(bins);
  const clamp = (bin: number) => Math.max(0, Math.min(bins - 1, bin));
  for (let span = 0; span < c.count; span++) {
    const from = c.start[span] / width;
    const to = (c.start[span] + c.duration[span]) / width;
    const first = clamp(Math.floor(from));
    const last = clamp(Math.floor(to));
    const service = c.service[span];
    if (first === last) active[first * services + service] += to - from;
    else {
      active[first * services + service] += first + 1 - from;
      active[last * services + service] += to - last;
      whole[(first + 1) * services + service] += 1;
      whole[last * services + service] -= 1;
    }
    if (c.status[span] === kStatusError) errors[first]++;
  }
  let peak = 0;
  const running = new Float64Array(services);
  for (let bin = 0; bin < bins; bin++) {
    let sum = 0;
    for (let service = 0; service < services; service++) {
      running[service] += whole[bin * services + service];
      active[bin * services + service] += running[service];
      sum += active[bin * services + service];
    }
    if (sum > peak) peak = sum;
  }
  return { bins, active, errors, peak };
}

/** Durations of all spans of each operation, ascending. n log n. */
export function durationsByOperation(columns: TraceColumns): Map<number, Float64Array> {
  const counts = new Map<number, number>();
  for (let span = 0; span < columns.count; span++) {
    const key = operationKey(columns, span);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const result = new Map<number, Float64Array>();
  const filled = new Map<number, number>();
  for (const [key, count] of counts) result.set(key, new Float64Array(count));
  for (let span = 0; span < columns.count; span++) {
    const key = operationKey(columns, span);
    const at = filled.get(key) ?? 0;
    result.get(key)![at] = columns.duration[span];
    filled.set(key, at + 1);
  }
  for (const durations of result.values()) durations.sort();
  return result;
}

/** The value below which a share of the ascending `sorted` lies (nearest rank). */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  if (sorted.length === 0) return 0;
  return sorted[Math.max(0, Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1))];
}

const kInsightMinimumLike = 20;
const kInsightMinimumRatio = 8;
const kInsightMinimumShare = 0.005;

/** The span that exceeds the median of its operation by most, if by enough; then the deepest below it that explains it. */
export function findInsight(columns: TraceColumns): Insight | null {
  const byOperation = durationsByOperation(columns);
  const excessOf = (span: number): number => {
    const like = byOperation.get(operationKey(columns, span))!;
    if (like.length < kInsightMinimumLike) return 0;
    const median = quantile(like, 0.5);
    return columns.duration[span] >= kInsightMinimumRatio * median
      ? columns.duration[span] - median
      : 0;
  };
  let best = -1;
  let bestExcess = kInsightMinimumShare * columns.durationNs;
  for (let span = 0; span < columns.count; span++) {
    const excess = excessOf(span);
    if (excess > bestExcess) {
      best = span;
      bestExcess = excess;
    }
  }
  if (best < 0) return null;
  for (;;) {
    const heir = childrenOf(columns, best).find((child) => excessOf(child) >= 0.7 * bestExcess);
    if (heir === undefined) break;
    best = heir;
    bestExcess = excessOf(heir);
  }
  const like = byOperation.get(operationKey(columns, best))!;
  const medianNs = quantile(like, 0.5);
  return {
    span: best,
    medianNs,
    likeCount: like.length,
    ratio: columns.duration[best] / Math.max(1, medianNs),
    failedBelow: columns.subtreeErrors[best],
    selfShare: columns.self[best] / Math.max(1, columns.duration[best]),
  };
}

export function buildColumns(wire: TraceWire): TraceColumns {
  const { spans } = wire;
  const count = spans.id.length;
  const ids = new Uint8Array(8 * count);
  for (let i = 0; i < count; i++) hexToBytes(spans.id[i], ids, 8 * i);
  const labels = [""];
  const labelIndex = new Map([["", 0]]);
  const label = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    const text = spans.label[i] ?? "";
    let at = labelIndex.get(text);
    if (at === undefined) {
      at = labels.push(text) - 1;
      labelIndex.set(text, at);
    }
    label[i] = at;
  }
  const parent = soundParents(spans.parent);
  const { childOffset, children } = buildChildren(parent);
  const start = Float64Array.from(spans.start);
  const duration = Float64Array.from(spans.duration);
  const status = Uint8Array.from(spans.status);
  const service = Uint16Array.from(spans.service);
  const order = topDown(childOffset, children);
  const depth = new Uint16Array(count);
  const subtreeSize = new Uint32Array(count).fill(1);
  const subtreeErrors = new Uint32Array(count);
  const subtreeEnd = new Float64Array(count);
  const self = new Float64Array(count);
  const servicesSpans = new Uint32Array(wire.services.length);
  let errorCount = 0;
  for (const span of order) if (parent[span] >= 0) depth[span] = depth[parent[span]] + 1;
  for (let i = count - 1; i >= 0; i--) {
    const span = order[i];
    servicesSpans[service[span]]++;
    if (status[span] === kStatusError) {
      errorCount++;
      subtreeErrors[span]++;
    }
    self[span] = selfTime(span, { start, duration, childOffset, children });
    subtreeEnd[span] = Math.max(subtreeEnd[span], start[span] + duration[span]);
    const above = parent[span];
    if (above >= 0) {
      subtreeSize[above] += subtreeSize[span];
      subtreeErrors[above] += subtreeErrors[span];
      subtreeEnd[above] = Math.max(subtreeEnd[above], subtreeEnd[span]);
    }
  }
  const columns: TraceColumns = {
    traceId: wire.traceId,
    startNs: wire.startNs,
    durationNs: Number(wire.durationNs),
    services: wire.services,
    names: wire.names,
    labels,
    count,
    ids,
    parent,
    service,
    name: Uint32Array.from(spans.name),
    kind: Uint8Array.from(spans.kind),
    status,
    start,
    duration,
    label,
    events: Uint16Array.from(spans.events),
    depth,
    childOffset,
    children,
    subtreeSize,
    subtreeErrors,
    subtreeEnd,
    self,
    errorCount,
    servicesSpans,
    orphans: wire.orphans,
    openSpans: wire.openSpans,
    complete: wire.complete,
    overview: { bins: 0, active: new Float32Array(0), errors: new Uint32Array(0), peak: 0 },
    insight: null,
  };
  columns.overview = buildOverview(columns);
  columns.insight = findInsight(columns);
  return columns;
}

/** The buffers to hand over, rather than copy, between threads. */
export function transferables(columns: TraceColumns): ArrayBuffer[] {
  const arrays = [
    ...Object.values(columns),
    columns.overview.active,
    columns.overview.errors,
  ].filter((v) => ArrayBuffer.isView(v));
  return arrays.map((a) => a.buffer as ArrayBuffer);
}
