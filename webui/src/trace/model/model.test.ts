import { describe, expect, it } from "vitest";
import type { TraceWire } from "../api";
import { buildColumns, calledFromOutside, childrenOf, findSpan, quantile, spanId } from "./columns";
import { criticalPath } from "./critical";
import { buildRows, emptyTree, keepWithAncestors, openFold, type Row, reveal } from "./rows";
import { spreadOf, summarizeOperations } from "./summary";

type Spec = [name: string, parent: number, start: number, duration: number, status?: number];

function wire(specs: Spec[]): TraceWire {
  const names = [...new Set(specs.map(([name]) => name))];
  const column = <T>(pick: (spec: Spec, i: number) => T) => specs.map(pick);
  return {
    traceId: "a".repeat(32),
    startNs: "1700000000000000000",
    durationNs: String(Math.max(...specs.map(([, , s, d]) => s + d))),
    services: ["one"],
    names,
    spans: {
      id: column((_, i) => (i + 1).toString(16).padStart(16, "0")),
      parent: column((s) => s[1]),
      service: column(() => 0),
      name: column((s) => names.indexOf(s[0])),
      kind: column(() => 1),
      status: column((s) => s[4] ?? 0),
      start: column((s) => s[2]),
      duration: column((s) => s[3]),
      label: column(() => ""),
      events: column(() => 0),
    },
    orphans: 0,
    openSpans: 0,
    complete: true,
  };
}

/** The rows as a picture: indentation, a name, and for folds their size. */
function picture(rows: Row[], names: (span: number) => string): string {
  return rows
    .map((row) => {
      const indent = "  ".repeat(row.depth);
      if (row.kind === "span") return `${indent}${names(row.span)} ${row.span}`;
      if (row.kind === "fold")
        return `${indent}${names(row.first)} × ${row.members.length}${row.failed ? ` !${row.failed}` : ""}`;
      return `${indent}… ${row.hidden} more`;
    })
    .join("\n");
}

function session(bars: number, slow: number): Spec[] {
  const specs: Spec[] = [["run", -1, 0, bars * 100 + 2000]];
  let at = 10;
  for (let bar = 0; bar < bars; bar++) {
    const duration = bar === slow ? 2000 : 50;
    const parent = specs.length;
    specs.push(["bar", 0, at, duration]);
    specs.push(["strategy", parent, at + 1, duration - 2, bar === slow ? 2 : 0]);
    at += duration + 10;
  }
  return specs;
}

describe("columns", () => {
  const columns = buildColumns(
    wire([
      ["root", -1, 0, 100],
      ["a", 0, 10, 30],
      ["b", 0, 30, 40],
      ["c", 2, 35, 10, 2],
    ]),
  );
  it("knows the tree", () => {
    expect([...columns.depth]).toEqual([0, 1, 1, 2]);
    expect([...childrenOf(columns, 0)]).toEqual([1, 2]);
    expect([...childrenOf(columns, columns.count)]).toEqual([0]);
    expect([...columns.subtreeErrors]).toEqual([1, 0, 1, 1]);
    expect([...columns.subtreeSize]).toEqual([4, 1, 2, 1]);
  });
  it("counts overlapping children once in self time", () => {
    expect(columns.self[0]).toBe(100 - 60);
    expect(columns.self[2]).toBe(30);
  });
  it("finds spans by id", () => {
    expect(spanId(columns, 2)).toBe("0000000000000003");
    expect(findSpan(columns, "0000000000000003")).toBe(2);
    expect(findSpan(columns, "00000000000000ff")).toBe(-1);
    expect(findSpan(columns, "nonsense")).toBe(-1);
  });
  it("survives parents that form a circle or do not exist", () => {
    const broken = buildColumns(
      wire([
        ["a", 1, 0, 10],
        ["b", 0, 1, 10],
        ["c", 7, 2, 10],
        ["d", 3, 3, 10],
      ]),
    );
    expect(buildRows(broken, emptyTree, null)).toHaveLength(4);
  });
  it("spreads every span over the overview, and no more", () => {
    const { overview, durationNs } = columns;
    const sum = overview.active.reduce((a, b) => a + b, 0) * (durationNs / overview.bins);
    expect(sum).toBeCloseTo(100 + 30 + 40 + 10, 3);
    expect(overview.errors.reduce((a, b) => a + b, 0)).toBe(1);
  });
});

describe("rows", () => {
  const columns = buildColumns(wire(session(40, 17)));
  const name = (span: number) => columns.names[columns.name[span]];
  it("folds equal siblings", () => {
    expect(picture(buildRows(columns, emptyTree, null), name)).toBe("run 0\n  bar × 40 !1");
  });
  it("shows the failed and the slowest first in an open fold", () => {
    const rows = buildRows(columns, openFold(emptyTree, 1), null);
    expect(rows[2]).toMatchObject({ kind: "span", span: 35, depth: 2 });
    expect(rows.at(-1)).toMatchObject({ kind: "more", hidden: 30 });
  });
  it("takes a revealed span out of its fold and keeps the order of time", () => {
    const rows = buildRows(columns, reveal(columns, emptyTree, 36), null);
    expect(picture(rows, name)).toBe("run 0\n  bar × 17\n  bar 35\n    strategy 36\n  bar × 22");
  });
  it("keeps what a filter wants with what is above it", () => {
    const keep = keepWithAncestors(columns, (span) => columns.status[span] === 2);
    expect(picture(buildRows(columns, emptyTree, keep), name)).toBe(
      "run 0\n  bar 35\n    strategy 36",
    );
  });
});

describe("insight", () => {
  it("points at the deepest span that explains the slowest part", () => {
    const columns = buildColumns(wire(session(40, 17)));
    expect(columns.insight).toMatchObject({
      span: 36,
      likeCount: 40,
      failedBelow: 1,
      medianNs: 48,
    });
  });
  it("says nothing where nothing stands out", () => {
    expect(buildColumns(wire(session(40, -1))).insight).toBeNull();
  });
});

describe("critical path", () => {
  it("covers the trace without overlap and follows what outlasts its parent", () => {
    const columns = buildColumns(
      wire([
        ["post", -1, 0, 20],
        ["queue", 0, 5, 10],
        ["task", 1, 30, 70],
        ["short", 2, 35, 10],
        ["long", 2, 40, 50],
      ]),
    );
    const path = criticalPath(columns);
    expect(path.span.map((s) => columns.names[columns.name[s]])).toEqual([
      "post",
      "queue",
      "task",
      "long",
      "task",
    ]);
    for (let i = 1; i < path.from.length; i++) expect(path.from[i]).toBe(path.to[i - 1]);
    expect(path.to.at(-1)).toBe(100);
    expect(path.onPath[3]).toBe(0);
  });
});

describe("a caller that is not here", () => {
  const of = (kind: number, change: Partial<TraceWire> = {}) => {
    const one = wire([
      ["GET /", -1, 0, 9],
      ["SELECT", 0, 1, 2],
    ]);
    one.spans.kind = [kind, 3];
    return calledFromOutside(buildColumns({ ...one, orphans: 1, complete: false, ...change }));
  };
  it("is outside where a request or a message begins the trace", () => {
    expect(of(2)).toBe(true);
    expect(of(5)).toBe(true);
  });
  it("is missing where more is missing, or a span of the middle begins it", () => {
    expect(of(1)).toBe(false);
    expect(of(2, { orphans: 2 })).toBe(false);
    expect(of(2, { openSpans: 1 })).toBe(false);
    expect(of(2, { orphans: 0 })).toBe(false);
  });
});

describe("summaries", () => {
  it("adds up", () => {
    const columns = buildColumns(wire(session(40, 17)));
    const bar = summarizeOperations(columns).find((row) => columns.names[row.name] === "bar")!;
    expect(bar).toMatchObject({
      count: 40,
      errors: 0,
      total: 39 * 50 + 2000,
      p50: 50,
      max: 2000,
      slowest: 35,
    });
    const spread = spreadOf(columns, Uint32Array.from([1, 3, 35]), 8);
    expect(spread.bins.reduce((a, b) => a + b, 0)).toBe(3);
    expect(spread.bins[7]).toBe(1);
    expect(quantile([1, 2, 3, 4], 0.5)).toBe(2);
  });
});
