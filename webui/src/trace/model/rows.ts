// The visible rows of the tree: equal siblings folded, what is open unfolded, what a filter hides left out.
import { childrenOf, kStatusError, operationKey, type TraceColumns } from "./columns";

/** From this many equal siblings on, one row stands for them. */
export const kFoldFrom = 5;
const kFoldFirstPage = 10;
export const kFoldPage = 100;

export type FoldOrder = "slowest" | "time";
export interface FoldState {
  shown: number;
  order: FoldOrder;
}

export interface TreeState {
  /** Spans whose children differ from the default (open outside folds, shut inside). */
  open: ReadonlyMap<number, boolean>;
  /** Open folds by their first member. */
  folds: ReadonlyMap<number, FoldState>;
  /** Spans that stand outside their fold: found, selected or pointed at. */
  pinned: ReadonlySet<number>;
  folding: boolean;
}

export const emptyTree: TreeState = {
  open: new Map(),
  folds: new Map(),
  pinned: new Set(),
  folding: true,
};

export type Row =
  | {
      kind: "span";
      key: string;
      span: number;
      depth: number;
      open: boolean;
      expandable: boolean;
      inFold: boolean;
    }
  | {
      kind: "fold";
      key: string;
      first: number;
      members: Uint32Array;
      depth: number;
      open: boolean;
      order: FoldOrder;
      failed: number;
    }
  | { kind: "more"; key: string; first: number; depth: number; hidden: number; order: FoldOrder };

/** Members of an open fold in the order to show them: the failed first, then the slowest. */
export function orderMembers(
  columns: TraceColumns,
  members: Uint32Array,
  order: FoldOrder,
): Uint32Array {
  if (order === "time") return members;
  const rank = (span: number) =>
    columns.status[span] === kStatusError ? 2 : columns.subtreeErrors[span] > 0 ? 1 : 0;
  return members
    .slice()
    .sort((a, b) => rank(b) - rank(a) || columns.duration[b] - columns.duration[a] || a - b);
}

/** Splits siblings into single spans and runs of equals, in order of the first start of each. */
export function foldSiblings(
  columns: TraceColumns,
  siblings: ArrayLike<number>,
  pinned: ReadonlySet<number>,
): (number | Uint32Array)[] {
  const runs = new Map<number, number[]>();
  const result: (number | number[])[] = [];
  for (let i = 0; i < siblings.length; i++) {
    const span = siblings[i];
    const key = operationKey(columns, span);
    if (pinned.has(span)) {
      runs.delete(key); // what follows a pinned span begins a run of its own, so that time still reads downwards
      result.push(span);
      continue;
    }
    const run = runs.get(key);
    if (run) run.push(span);
    else {
      const begun = [span];
      runs.set(key, begun);
      result.push(begun);
    }
  }
  // A run too short to fold is given back as single spans, each in its own place in time.
  const folded: [number, number | Uint32Array][] = [];
  for (const entry of result) {
    if (typeof entry === "number") folded.push([entry, entry]);
    else if (entry.length >= kFoldFrom) folded.push([entry[0], Uint32Array.from(entry)]);
    else for (const span of entry) folded.push([span, span]);
  }
  return folded.sort(([a], [b]) => a - b).map(([, entry]) => entry);
}

export function buildRows(columns: TraceColumns, tree: TreeState, keep: Uint8Array | null): Row[] {
  const rows: Row[] = [];
  const visible = (siblings: Uint32Array) =>
    keep ? siblings.filter((span) => keep[span] === 1) : siblings;

  const addSpan = (span: number, depth: number, inFold: boolean) => {
    const children = visible(childrenOf(columns, span));
    const byDefault = !inFold || tree.pinned.has(span);
    const open = children.length > 0 && (tree.open.get(span) ?? byDefault);
    rows.push({
      kind: "span",
      key: `s${span}`,
      span,
      depth,
      open,
      expandable: children.length > 0,
      inFold,
    });
    if (open) addSiblings(children, depth + 1);
  };
  const addFold = (members: Uint32Array, depth: number) => {
    const first = members[0];
    const state = tree.folds.get(first);
    let failed = 0;
    for (const span of members) if (columns.subtreeErrors[span] > 0) failed++;
    const order = state?.order ?? "slowest";
    rows.push({
      kind: "fold",
      key: `f${first}`,
      first,
      members,
      depth,
      open: state !== undefined,
      order,
      failed,
    });
    if (!state) return;
    const ordered = orderMembers(columns, members, order);
    const shown = Math.min(state.shown, ordered.length);
    for (let i = 0; i < shown; i++) addSpan(ordered[i], depth + 1, true);
    if (shown < ordered.length)
      rows.push({
        kind: "more",
        key: `m${first}`,
        first,
        depth: depth + 1,
        hidden: ordered.length - shown,
        order,
      });
  };
  const addSiblings = (siblings: Uint32Array, depth: number) => {
    if (!tree.folding || siblings.length < kFoldFrom) {
      for (const span of siblings) addSpan(span, depth, false);
      return;
    }
    for (const entry of foldSiblings(columns, siblings, tree.pinned)) {
      if (typeof entry === "number") addSpan(entry, depth, false);
      else addFold(entry, depth);
    }
  };
  addSiblings(visible(childrenOf(columns, columns.count)), 0);
  return rows;
}

export function openFold(tree: TreeState, first: number): TreeState {
  return {
    ...tree,
    folds: new Map(tree.folds).set(first, { shown: kFoldFirstPage, order: "slowest" }),
  };
}

export function toggleFold(tree: TreeState, first: number): TreeState {
  if (!tree.folds.has(first)) return openFold(tree, first);
  const folds = new Map(tree.folds);
  folds.delete(first);
  return { ...tree, folds };
}

export function changeFold(tree: TreeState, first: number, change: Partial<FoldState>): TreeState {
  const old = tree.folds.get(first) ?? { shown: kFoldFirstPage, order: "slowest" };
  return { ...tree, folds: new Map(tree.folds).set(first, { ...old, ...change }) };
}

export function setOpen(tree: TreeState, span: number, open: boolean): TreeState {
  return { ...tree, open: new Map(tree.open).set(span, open) };
}

/** Makes a span visible: opens what is above it, and takes it and what is above it out of their folds. */
export function reveal(columns: TraceColumns, tree: TreeState, span: number): TreeState {
  const open = new Map(tree.open);
  const pinned = new Set(tree.pinned);
  let changed = false;
  for (let at = span; at >= 0; at = columns.parent[at]) {
    if (at !== span && open.get(at) !== true) {
      open.set(at, true);
      changed = true;
    }
    if (!pinned.has(at) && equalSiblings(columns, at) >= kFoldFrom) {
      pinned.add(at);
      changed = true;
    }
  }
  return changed ? { ...tree, open, pinned } : tree;
}

function equalSiblings(columns: TraceColumns, span: number): number {
  const parent = columns.parent[span];
  const key = operationKey(columns, span);
  let equal = 0;
  for (const sibling of childrenOf(columns, parent < 0 ? columns.count : parent))
    if (operationKey(columns, sibling) === key && ++equal >= kFoldFrom) break;
  return equal;
}

/** A span is kept if `wanted` holds for it or for one below it. */
export function keepWithAncestors(
  columns: TraceColumns,
  wanted: (span: number) => boolean,
): Uint8Array {
  const keep = new Uint8Array(columns.count);
  for (let span = 0; span < columns.count; span++) {
    if (!wanted(span)) continue;
    for (let at = span; at >= 0 && keep[at] === 0; at = columns.parent[at]) keep[at] = 1;
  }
  return keep;
}
