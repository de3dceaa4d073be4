import { describe, expect, it } from "vitest";
import type { LedgerEntry, Order } from "./api";
import { instantNs, orderLatencies, summarise } from "./latency";

const order = (id: string, createdAt: string, status = "filled") =>
  ({ client_order_id: id, created_at: createdAt, status }) as Order;
const line = (type: LedgerEntry["entry_type"], id: string, createdAt: string) =>
  ({ entry_type: type, client_order_id: id, created_at: createdAt, level: "info" }) as LedgerEntry;
const at = (ns: number) => `2026-11-23T10:00:00.${String(ns).padStart(9, "0")}Z`;

describe("latency from signal to fill", () => {
  it("keeps the nanoseconds of an instant", () => {
    expect(instantNs("1970-01-01T00:00:01.000000007Z")).toBe(1_000_000_007n);
    expect(instantNs("1970-01-01T00:00:01Z")).toBe(1_000_000_000n);
    expect(instantNs("1970-01-01T00:00:01.5Z")).toBe(1_500_000_000n);
  });

  it("splits each filled order at the venue's answer, and ends at the last fill", () => {
    const found = orderLatencies(
      [order("a", at(100)), order("b", at(0), "rejected"), order("no lines", at(0))],
      [
        line("FILL", "a", at(5_700)),
        line("FILL", "a", at(900)),
        line("ORDER", "a", at(400)),
        line("ORDER", "b", at(10)),
      ],
    );
    expect(found.map(({ submitNs, fillNs }) => [submitNs, fillNs])).toEqual([[300, 5_300]]);
  });

  it("says the median, the 99th percentile and the worst", () => {
    const latencies = Array.from({ length: 100 }, (_, i) => ({
      order: order(String(i), at(0)),
      submitNs: 10,
      fillNs: i * 100,
    }));
    const summary = summarise(latencies);
    expect(summary).toMatchObject({ count: 100, submitNs: 10, fillNs: 4_900, p50Ns: 4_910 });
    expect(summary?.p99Ns).toBe(9_810);
    expect(summary?.worst).toMatchObject({ wholeNs: 9_910, order: { client_order_id: "99" } });
    expect(summarise([])).toBeUndefined();
  });
});
