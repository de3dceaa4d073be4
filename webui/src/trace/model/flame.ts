// The flame view's tree: spans with the same chain of operations become one node; its width is the sum
// of their times, shared out so that no child is wider than its parent.
import { childrenOf, operationKey, type TraceColumns } from "./columns";

export interface FlameNode {
  span: number; // the slowest of them, which stands for the node
  depth: number;
  count: number;
  failed: number;
  total: number;
  self: number;
  /** Fractions of the whole. */
  x0: number;
  x1: number;
  parent: number;
}

export function buildFlame(columns: TraceColumns): FlameNode[] {
  const nodes: FlameNode[] = [];
  interface Work {
    spans: number[];
    parent: number;
    depth: number;
  }
  const members: number[][] = [];
  const childNodes: number[][] = [];
  const pending: Work[] = [
    { spans: Array.from(childrenOf(columns, columns.count)), parent: -1, depth: 0 },
  ];
  const roots: number[] = [];
  for (let work = pending.pop(); work; work = pending.pop()) {
    const groups = new Map<number, number[]>();
    for (const span of work.spans) {
      const key = operationKey(columns, span);
      const group = groups.get(key);
      if (group) group.push(span);
      else groups.set(key, [span]);
    }
    for (const group of groups.values()) {
      const node: FlameNode = {
        span: group[0],
        depth: work.depth,
        count: group.length,
        failed: 0,
        total: 0,
        self: 0,
        x0: 0,
        x1: 0,
        parent: work.parent,
      };
      const below: number[] = [];
      for (const span of group) {
        node.total += columns.duration[span];
        node.self += columns.self[span];
        if (columns.status[span] === 2) node.failed++;
        if (columns.duration[span] > columns.duration[node.span]) node.span = span;
        for (const child of childrenOf(columns, span)) below.push(child);
      }
      const index = nodes.push(node) - 1;
      members.push(group);
      childNodes.push([]);
      (work.parent < 0 ? roots : childNodes[work.parent]).push(index);
      if (below.length > 0) pending.push({ spans: below, parent: index, depth: work.depth + 1 });
    }
  }
  // The weight of a node is what it and everything below took by itself: so a queued task that outlasts
  // its request gets its room, and widths add up.
  const weight = new Float64Array(nodes.length);
  const byDepth = nodes.map((_, i) => i).sort((a, b) => nodes[b].depth - nodes[a].depth);
  for (const i of byDepth) {
    weight[i] += Math.max(1, nodes[i].self);
    if (nodes[i].parent >= 0) weight[nodes[i].parent] += weight[i];
  }
  const place = (list: number[], x0: number, perWeight: number) => {
    let at = x0;
    for (const i of list.sort((a, b) => weight[b] - weight[a])) {
      nodes[i].x0 = at;
      at += weight[i] * perWeight;
      nodes[i].x1 = at;
    }
  };
  const all = roots.reduce((sum, i) => sum + weight[i], 0);
  place(roots, 0, 1 / Math.max(1, all));
  for (const i of byDepth.reverse()) place(childNodes[i], nodes[i].x0, 1 / Math.max(1, all));
  return nodes;
}
