import { describe, expect, it } from "vitest";
import type { LedgerEntry, PaperRunDetail } from "./api";
import { ledgerText, riskUse } from "./facts";

const entry = (
  entry_type: LedgerEntry["entry_type"],
  payload: Record<string, unknown>,
): LedgerEntry => ({
  id: "1",
  client_order_id: null,
  entry_type,
  level: "info",
  message: "the whole message",
  payload,
  trace_id: null,
  span_id: null,
  created_at: null,
});

describe("ledger lines", () => {
  it("say the essence, with the symbol only where there are several", () => {
    const fill = entry("FILL", {
      side: "sell",
      quantity: "60",
      price: "172.19555",
      symbol: "AAPL.LOCAL",
    });
    expect(ledgerText(fill, true)).toBe("sell 60 @ 172.20");
    expect(ledgerText(fill, false)).toBe("sell 60 AAPL.LOCAL @ 172.20");
    expect(ledgerText(entry("ORDER", { side: "buy", quantity: "7", type: "market" }), true)).toBe(
      "buy 7 market",
    );
    expect(ledgerText(entry("SIGNAL", { signal: "enter_long", score: -2.314 }), true)).toBe(
      "enter long, score −2.31",
    );
  });
  it("fall back to the message", () => {
    expect(ledgerText(entry("FILL", {}), true)).toBe("the whole message");
    expect(ledgerText(entry("META", { status: "completed" }), true)).toBe("the whole message");
  });
});

describe("use of risk limits", () => {
  it("comes from positions, the curve and the flushed state", () => {
    const run = {
      initial_cash: 100,
      equity: 200,
      positions: [{ value: -50 }, { value: 30 }],
      equity_curve: [{ timestamp: "", equity: 200, drawdown: 0.02 }],
      state: { loop: { risk: { equity: "98", day_start: "100" } } },
    } as unknown as PaperRunDetail;
    expect(riskUse(run)).toEqual({
      position: 0.25,
      exposure: 0.4,
      drawdown: 0.02,
      dailyLoss: expect.closeTo(0.02, 9),
    });
    expect(riskUse({ ...run, state: {} }).dailyLoss).toBeUndefined();
  });
});
