import { expect, test } from "vitest";
import { type Form, toConfig } from "./session-config";

const form: Form = {
  name: "n",
  venue: "sim",
  feed: "replay",
  series: "",
  symbols: "MSFT.NASDAQ",
  interval: "1m",
  mode: "stream",
  pollSeconds: "5",
  warmup: "20",
  strategy: "buy_and_hold",
  params: { position_pct: "0.1" },
  cash: "1000",
  start: "2024-01-02",
  end: "2024-02-02",
  maxBars: "",
  speed: "10",
  risk: { max_position_pct: "0.2", max_drawdown_pct: "" },
};
const stored = { vt_symbol: "AAPL.SIM", interval: "1d", count: 9, first: "", last: "" };

test("a replay at the simulated exchange", () => {
  expect(toConfig(form, stored, true)).toEqual({
    session: { universe: ["AAPL.SIM"], initial_cash: 1000 },
    strategy: { name: "buy_and_hold", params: { position_pct: 0.1 } },
    brokerage: { venue: "sim" },
    feed: {
      kind: "replay",
      params: { interval: "1d", start: "2024-01-02", end: "2024-02-02", speed: 10 },
    },
    risk: { max_position_pct: 0.2 },
  });
});

test("a live venue has bars as they happen, whatever was chosen before, and no past to play", () => {
  const config = toConfig(
    { ...form, venue: "alpaca", symbols: "AAPL.NASDAQ, MSFT.NASDAQ" },
    stored,
    true,
  );
  expect(config.session?.universe).toEqual(["AAPL.NASDAQ", "MSFT.NASDAQ"]);
  expect(config.brokerage).toEqual({ venue: "alpaca" });
  expect(config.feed).toEqual({
    kind: "alpaca",
    params: { interval: "1m", mode: "stream", warmup_bars: 20 },
  });
});

test("only minute bars are streamed", () => {
  const config = toConfig({ ...form, feed: "alpaca", interval: "1h" }, stored, true);
  expect(config.session?.universe).toEqual(["MSFT.NASDAQ"]);
  expect(config.feed).toEqual({
    kind: "alpaca",
    params: {
      interval: "1h",
      mode: "poll",
      poll_seconds: 5,
      warmup_bars: 20,
      start: "2024-01-02",
    },
  });
});

test("a backtest knows neither venue nor live feed", () => {
  const config = toConfig({ ...form, venue: "alpaca", feed: "alpaca" }, stored, false);
  expect(config.brokerage).toBeUndefined();
  expect(config.feed?.kind).toBe("replay");
  expect(config.session?.universe).toEqual(["AAPL.SIM"]);
});
