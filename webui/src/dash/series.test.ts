import { describe, expect, it } from "vitest";
import type { Bar, Fill } from "./api";
import { buyAndHold, closes, fillMarks, resample } from "./series";

const bar = (day: number, close: number): Bar => ({
  timestamp: new Date(Date.UTC(2020, 0, day)).toISOString(),
  open: close,
  high: close,
  low: close,
  close,
  volume: 1,
});

describe("series", () => {
  const bars = [bar(1, 10), bar(2, 12), bar(3, 9)];
  it("cuts at the bar a session has come to", () => {
    expect(closes(bars, Date.UTC(2020, 0, 2) / 1000).values).toEqual([10, 12]);
    expect(closes(bars).times).toHaveLength(3);
  });
  it("compares with buying and holding", () => {
    expect(buyAndHold(closes(bars), 1000).values).toEqual([1000, 1200, 900]);
  });
  it("resamples to the last known value and draws nothing where nothing is known", () => {
    expect(resample({ times: [2, 4], values: [20, 40] }, [1, 2, 3, 4, 5])).toEqual([
      null,
      20,
      20,
      40,
      null,
    ]);
    expect(resample({ times: [], values: [] }, [1])).toEqual([null]);
  });
  it("marks the fills of one symbol by time", () => {
    const fill = (id: string, day: number, vt_symbol: string): Fill => ({
      id,
      client_order_id: id,
      vt_symbol,
      side: "buy",
      quantity: 5,
      price: 10.5,
      commission: 0,
      filled_at: new Date(Date.UTC(2020, 0, day)).toISOString(),
      trace_id: "t",
      span_id: "s",
    });
    const marks = fillMarks(
      [fill("b", 3, "A.SIM"), fill("a", 1, "A.SIM"), fill("c", 2, "B.SIM")],
      "A.SIM",
    );
    expect(marks.map((m) => m.time)).toEqual([
      Date.UTC(2020, 0, 1) / 1000,
      Date.UTC(2020, 0, 3) / 1000,
    ]);
    expect(marks[0].text).toBe("buy 5 @ 10.5");
  });
});
