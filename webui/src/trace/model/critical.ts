// The critical path: the chain of spans that decided when the trace ended. Walking back from the end,
// at every instant it is the child that ended last before it, else the span itself (the method of Uber's
// CRISP, "Critical path analysis of large-scale microservice architectures", USENIX ATC 2022). A child
// may outlast its parent here, as a queued task outlasts the request that queued it.
import { childrenOf, type TraceColumns } from "./columns";

export interface CriticalPath {
  /** Stretches in order of time; each belongs to one span. */
  span: number[];
  from: number[];
  to: number[];
  onPath: Uint8Array;
  /** Time on the path by span. */
  share: Float64Array;
}

export function criticalPath(columns: TraceColumns): CriticalPath {
  const { start, subtreeEnd, count } = columns;
  const path: CriticalPath = {
    span: [],
    from: [],
    to: [],
    onPath: new Uint8Array(count),
    share: new Float64Array(count),
  };
  const add = (span: number, from: number, to: number) => {
    if (to <= from) return;
    path.span.push(span);
    path.from.push(from);
    path.to.push(to);
    path.share[span] += to - from;
  };
  // Explicit stack: a trace may be deeper than the call stack. A frame walks the children of one span backwards.
  interface Frame {
    span: number;
    children: Uint32Array;
    next: number;
    limit: number;
    end: number;
  }
  const frame = (span: number, limit: number): Frame => {
    const children = childrenOf(columns, span)
      .slice()
      .sort((a, b) => subtreeEnd[a] - subtreeEnd[b]);
    return { span, children, next: children.length - 1, limit, end: limit };
  };
  const stack: Frame[] = [frame(count, columns.durationNs)];
  while (stack.length > 0) {
    const top = stack[stack.length - 1];
    const from = top.span === count ? 0 : start[top.span];
    let descended = false;
    while (top.next >= 0) {
      const child = top.children[top.next--];
      const end = Math.min(subtreeEnd[child], top.limit);
      // A child that began before the span's own reach, or overlaps what is already explained, is not on the path.
      if (start[child] >= top.limit || subtreeEnd[child] > top.limit || end <= from) continue;
      if (top.span !== count) add(top.span, end, top.limit);
      top.limit = Math.max(from, start[child]);
      path.onPath[child] = 1;
      stack.push(frame(child, end));
      descended = true;
      break;
    }
    if (descended) continue;
    if (top.span !== count) add(top.span, from, top.limit);
    stack.pop();
  }
  const order = path.span.map((_, i) => i).sort((a, b) => path.from[a] - path.from[b]);
  return {
    ...path,
    span: order.map((i) => path.span[i]),
    from: order.map((i) => path.from[i]),
    to: order.map((i) => path.to[i]),
  };
}
