import { describe, expect, it } from "vitest";
import type { TraceWire } from "../api";
import { buildColumns } from "./columns";
import { buildFlame } from "./flame";

function wire(specs: [name: number, parent: number, start: number, duration: number][]): TraceWire {
  return {
    traceId: "b".repeat(32),
    startNs: "0",
    durationNs: "1000",
    services: ["s"],
    names: ["root", "a", "b"],
    spans: {
      id: specs.map((_, i) => (i + 1).toString(16).padStart(16, "0")),
      parent: specs.map((s) => s[1]),
      service: specs.map(() => 0),
      name: specs.map((s) => s[0]),
      kind: specs.map(() => 1),
      status: specs.map(() => 0),
      start: specs.map((s) => s[2]),
      duration: specs.map((s) => s[3]),
      label: specs.map(() => ""),
      events: specs.map(() => 0),
    },
    orphans: 0,
    openSpans: 0,
    complete: true,
  };
}

describe("flame", () => {
  it("merges equal chains, and no child is wider than its parent", () => {
    const nodes = buildFlame(
      buildColumns(
        wire([
          [0, -1, 0, 1000],
          [1, 0, 0, 200],
          [2, 1, 50, 100],
          [1, 0, 300, 400],
          [2, 3, 350, 100],
        ]),
      ),
    );
    expect(nodes.map((n) => [n.depth, n.count, n.total])).toEqual([
      [0, 1, 1000],
      [1, 2, 600],
      [2, 2, 200],
    ]);
    for (const node of nodes) {
      if (node.parent < 0) continue;
      expect(node.x0).toBeGreaterThanOrEqual(nodes[node.parent].x0);
      expect(node.x1).toBeLessThanOrEqual(nodes[node.parent].x1 + 1e-9);
    }
    expect(nodes[1].x1 - nodes[1].x0).toBeCloseTo(0.6, 9);
    expect(nodes[1].span).toBe(3);
  });
});
