import { describe, expect, it } from "vitest";
import { durationFacts, sortHits, toHits } from "./results";

const trace = (traceId: string, startNs: string, durationNs: string, errorCount: number) => ({
  traceId,
  rootService: "s",
  rootName: "n",
  startNs,
  durationNs,
  spanCount: 3,
  errorCount,
  services: [],
  matched: 1,
});
const answer = {
  traces: [
    trace("a", "1700000000000000001", "30", 0),
    trace("b", "1700000000000000002", "10", 2),
    trace("c", "1700000000000000003", "20", 0),
  ],
  complete: true,
  elapsedNs: "1",
  scannedSpans: 9,
};

describe("results", () => {
  it("sort by nanoseconds, not by what a number can hold", () => {
    expect(sortHits(toHits(answer), "newest").map((h) => h.key)).toEqual(["c", "b", "a"]);
    expect(sortHits(toHits(answer), "slowest").map((h) => h.key)).toEqual(["a", "c", "b"]);
    expect(sortHits(toHits(answer), "errors").map((h) => h.key)).toEqual(["b", "c", "a"]);
  });
  it("have facts, also when there are none", () => {
    expect(durationFacts(toHits(answer))).toEqual({ p50: 20, p99: 30, max: 30 });
    expect(durationFacts([])).toEqual({ p50: 0, p99: 0, max: 0 });
    expect(toHits(undefined)).toEqual([]);
  });
});
