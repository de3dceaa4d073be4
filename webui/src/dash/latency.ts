// How long orders took from the strategy's signal to their last fill, and where the time went.
import type { LedgerEntry, Order } from "./api";

export interface OrderLatency {
  order: Order;
  /** Nanoseconds from the signal until the venue had answered: risk check and submission. */
  submitNs: number;
  /** Nanoseconds from there to the last fill: what the venue and the next bar took. */
  fillNs: number;
}
export interface LatencySummary {
  count: number;
  /** Medians of the two stages, in nanoseconds. */
  submitNs: number;
  fillNs: number;
  /** Of the whole way, in nanoseconds. */
  p50Ns: number;
  p99Ns: number;
  worst: OrderLatency & { wholeNs: number };
}

/** Nanoseconds since 1970 of an RFC 3339 instant in UTC: Date keeps milliseconds only. */
export function instantNs(text: string): bigint {
  const [whole, fraction = ""] = text.replace("Z", "").split(".");
  return (
    BigInt(Date.parse(`${whole}Z`)) * 1_000_000n + BigInt(fraction.padEnd(9, "0").slice(0, 9) || 0)
  );
}

/** Of the orders that were filled; those whose ledger lines are not all here are left out. */
export function orderLatencies(orders: Order[], ledger: LedgerEntry[]): OrderLatency[] {
  const answered = new Map<string, bigint>();
  const filled = new Map<string, bigint>();
  for (const { entry_type, level, client_order_id, created_at } of ledger) {
    if (!client_order_id || !created_at) continue;
    const at = instantNs(created_at);
    if (entry_type === "ORDER" && level === "info") answered.set(client_order_id, at);
    if (entry_type === "FILL") {
      const last = filled.get(client_order_id);
      if (last === undefined || at > last) filled.set(client_order_id, at);
    }
  }
  return orders.flatMap((order) => {
    const sent = answered.get(order.client_order_id);
    const done = filled.get(order.client_order_id);
    if (!order.created_at || order.status !== "filled" || sent === undefined || done === undefined)
      return [];
    const submitNs = Number(sent - instantNs(order.created_at));
    const fillNs = Number(done - sent);
    // A clock that was set back in between makes no latency.
    return submitNs < 0 || fillNs < 0 ? [] : [{ order, submitNs, fillNs }];
  });
}

/** The value below which the share `p` of the sorted values lies, the nearest rank. */
function percentile(sorted: number[], p: number): number {
  return sorted[Math.max(0, Math.ceil(p * sorted.length) - 1)];
}

export function summarise(latencies: OrderLatency[]): LatencySummary | undefined {
  if (latencies.length === 0) return undefined;
  const sorted = (of: (one: OrderLatency) => number) => latencies.map(of).sort((a, b) => a - b);
  const whole = sorted((one) => one.submitNs + one.fillNs);
  const worst = latencies.reduce((a, b) => (b.submitNs + b.fillNs > a.submitNs + a.fillNs ? b : a));
  return {
    count: latencies.length,
    submitNs: percentile(
      sorted((one) => one.submitNs),
      0.5,
    ),
    fillNs: percentile(
      sorted((one) => one.fillNs),
      0.5,
    ),
    p50Ns: percentile(whole, 0.5),
    p99Ns: percentile(whole, 0.99),
    worst: { ...worst, wholeNs: worst.submitNs + worst.fillNs },
  };
}
