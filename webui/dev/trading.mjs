// The trading service's routes with generated data: a session that is running, some that are done,
// backtests, bars. See server.mjs.
import { bars, random } from "./generate.mjs";

const iso = (ms) => new Date(ms).toISOString();
const round = (value, digits = 2) => Number(value.toFixed(digits));
const openapi = {
  openapi: "3.1.0",
  info: { title: "AlphaSwarm", version: "0.1.0" },
  paths: {
    "/paper/start": {
      post: {
        tags: ["paper"],
        summary: "Start a paper session",
        requestBody: {
          content: {
            "application/json": { schema: { $ref: "#/components/schemas/StartRequest" } },
          },
        },
        responses: {
          202: {
            description: "Accepted",
            content: {
              "application/json": { schema: { $ref: "#/components/schemas/TaskAccepted" } },
            },
          },
          422: { description: "The input is wrong" },
        },
      },
    },
    "/paper/runs/{id}": {
      get: {
        tags: ["paper"],
        summary: "One session, by its id or its task's",
        parameters: [{ name: "id", in: "path", required: true, schema: { type: "string" } }],
        responses: {
          200: {
            description: "OK",
            content: {
              "application/json": { schema: { $ref: "#/components/schemas/TaskAccepted" } },
            },
          },
          404: { description: "There is none" },
        },
      },
    },
    "/health": {
      get: {
        tags: ["service"],
        summary: "How the service and what it needs are",
        responses: { 200: { description: "OK" } },
      },
    },
    "/brokers/{venue}/orders/{id}": {
      delete: {
        tags: ["brokers"],
        summary: "Cancel an order",
        responses: { 200: { description: "OK" } },
      },
    },
  },
  components: {
    schemas: {
      StartRequest: {
        type: "object",
        description: "A configuration and a name for the run.",
        required: ["config"],
        properties: {
          config: { type: "object" },
          run_name: { type: ["string", "null"], description: "instead of the configuration's" },
        },
      },
      TaskAccepted: {
        type: "object",
        description: "A worker will do it.",
        required: ["task_id", "status", "stream_url"],
        properties: {
          task_id: { type: "string" },
          status: { enum: ["queued"] },
          stream_url: { type: "string", description: "a WebSocket" },
        },
      },
    },
  },
};
const kBarCount = 1259;
const kRunningAt = 1017;
const config = (symbol, strategy, maxBars) => ({
  session: {
    run_name: "aapl-meanrev",
    universe: [symbol],
    initial_cash: 100000,
    max_bars: maxBars,
  },
  strategy: { name: strategy, params: { lookback: 20, z_threshold: 2.0 } },
  brokerage: { venue: "sim", params: {} },
  feed: { kind: "replay", params: { interval: "1d" } },
  risk: {
    max_position_pct: 0.2,
    max_daily_loss_pct: 0.03,
    max_drawdown_pct: 0.15,
    max_gross_exposure: 1.0,
  },
});

/** Mean reversion over generated bars, well enough to look like the real thing. */
function trade(data, until, trace, seed) {
  const next = random(seed);
  const spans = trace?.spans.filter((s) => s.name === "paper.session.submit_order") ?? [];
  const [orders, fills, ledger, curve] = [[], [], [], []];
  let [cash, held, cost, peak, worst] = [100000, 0, 0, 100000, 0];
  const began = Date.now() - 60_000;
  for (let i = 0; i < until; i++) {
    const window = data.slice(Math.max(0, i - 20), i).map((b) => b.close);
    const mean = window.reduce((a, b) => a + b, 0) / Math.max(1, window.length);
    const deviation = Math.sqrt(
      window.reduce((a, b) => a + (b - mean) ** 2, 0) / Math.max(1, window.length - 1),
    );
    const z = deviation > 0 ? (data[i].close - mean) / deviation : 0;
    const side = i > 20 && held === 0 && z <= -1.4 ? "buy" : held > 0 && z >= 0.4 ? "sell" : null;
    if (side && data[i + 1]) {
      const bar = data[i + 1];
      const quantity = side === "buy" ? Math.floor(10000 / bar.open) : held;
      const price = round(bar.open * (side === "buy" ? 1.0002 : 0.9998), 4);
      const span = spans[orders.length % Math.max(1, spans.length)];
      const ids = { trace_id: trace?.traceId ?? null, span_id: span?.id ?? null };
      const client =
        span?.attributes["order.client_id"] ?? `run1-${String(orders.length + 1).padStart(6, "0")}`;
      const at = iso(began + i * 40);
      const line = (entry_type, message, level = "info") =>
        ledger.push({
          id: `${client}-${ledger.length}`,
          run_id: "run1",
          client_order_id: client,
          entry_type,
          level,
          message,
          payload: {},
          ...ids,
          created_at: at,
        });
      line("SIGNAL", `z ${z < 0 ? "−" : "+"} ${Math.abs(z).toFixed(2)}`);
      line("RISK", next() < 0.08 ? `size cut to ${quantity}` : "accepted", "info");
      line("ORDER", `${side} ${quantity} market`);
      if (i === kRunningAt - 25) line("META", "429 from venue, retried", "warning");
      line("FILL", `${side === "sell" ? "− " : ""}${quantity} @ ${price.toFixed(2)}`);
      orders.push({
        client_order_id: client,
        broker_order_id: `b8f2${orders.length}`,
        run_id: "run1",
        venue: "sim",
        vt_symbol: "AAPL.SIM",
        side,
        order_type: "market",
        time_in_force: "day",
        quantity,
        filled_quantity: quantity,
        average_price: price,
        limit_price: null,
        stop_price: null,
        status: "filled",
        status_reason: null,
        ...ids,
        created_at: at,
        updated_at: at,
      });
      fills.push({
        id: `f${fills.length}`,
        client_order_id: client,
        run_id: "run1",
        vt_symbol: "AAPL.SIM",
        side,
        quantity,
        price,
        commission: round(price * quantity * 0.0005),
        filled_at: iso(bar.timestamp),
        ...ids,
        created_at: at,
      });
      cash += (side === "buy" ? -1 : 1) * quantity * price - price * quantity * 0.0005;
      held = side === "buy" ? quantity : 0;
      if (side === "buy") cost = price;
    }
    const equity = cash + held * data[i].close;
    peak = Math.max(peak, equity);
    worst = Math.max(worst, 1 - equity / peak);
    curve.push({
      timestamp: iso(data[i].timestamp),
      equity: round(equity),
      drawdown: round(1 - equity / peak, 6),
    });
  }
  return {
    orders: orders.reverse(),
    fills: fills.reverse(),
    ledger: ledger.reverse(),
    curve,
    held,
    cost,
    worst,
  };
}

const runRow = (id, name, strategy, status, extra) => ({
  id,
  task_id: `task-${id}`,
  trace_id: null,
  run_name: name,
  strategy,
  brokerage: "sim",
  feed: "replay",
  status,
  status_reason: null,
  started_at: iso(Date.now() - 12 * 60_000),
  last_heartbeat_at: null,
  stopped_at: null,
  initial_cash: 100000,
  final_equity: null,
  total_return: null,
  realised_pnl: 0,
  max_drawdown: 0,
  bars_seen: 0,
  orders_submitted: 0,
  fills_count: 0,
  config: {},
  error: null,
  ...extra,
});

export function dashRoutes({ traces, tracePort, empty, json }) {
  const data = bars(7, kBarCount, 67);
  const sp500 = bars(3, 5105, 1455, 0.0002);
  const trace = traces[0];
  const kill = { engaged: false, reason: "" };
  const session = trade(data, kRunningAt, trace, 5);
  const last = session.curve[session.curve.length - 1];
  const running = runRow("run1", "aapl-meanrev", "mean_reversion", "running", {
    trace_id: trace?.traceId ?? null,
    max_drawdown: session.worst,
    bars_seen: kRunningAt,
    orders_submitted: session.orders.length,
    fills_count: session.fills.length,
    config: config("AAPL.SIM", "mean_reversion", kBarCount),
  });
  const done = (id, name, strategy, minutes, result, extra = {}) =>
    runRow(id, name, strategy, "completed", {
      stopped_at: iso(Date.now() - minutes * 60_000),
      final_equity: 100000 * (1 + result),
      total_return: result,
      bars_seen: kBarCount,
      max_drawdown: 0.08,
      config: config("AAPL.SIM", strategy, kBarCount),
      ...extra,
    });
  const runs = empty
    ? []
    : [
        running,
        done("run2", "sp500-hold", "buy_and_hold", 4, 0.412),
        done("run3", "sp500-cross", "sma_cross", 9, 0.187, {
          status: "halted",
          status_reason: "drawdown",
        }),
        done("run4", "stocks-mom", "momentum", 12, -0.031),
        runRow("run5", "spx-broken", "sma_cross", "error", {
          error: "fast is 20, must be less than slow, which is 10",
          stopped_at: iso(Date.now() - 14 * 60_000),
        }),
      ];
  const detail = (run) => {
    const full = run === running ? session : trade(data, kBarCount - 1, trace, 9);
    const price = data[kRunningAt - 1].close;
    return {
      ...run,
      state: {},
      orders: full.orders,
      fills: full.fills,
      ledger: full.ledger,
      positions:
        full.held > 0
          ? [
              {
                run_id: run.id,
                run_name: run.run_name,
                vt_symbol: "AAPL.SIM",
                quantity: full.held,
                average_cost: full.cost,
                mark: price,
                value: round(full.held * price),
                unrealised_pnl: round(full.held * (price - full.cost)),
                realised_pnl: 0,
              },
            ]
          : [],
      equity_curve: full.curve,
    };
  };
  const whole = trade(data, kBarCount - 1, trace, 11);
  const backtest = (id, name, strategy, hours) => ({
    id,
    task_id: `task-${id}`,
    trace_id: trace?.traceId ?? null,
    run_name: name,
    strategy,
    engine: "event",
    status: "completed",
    start: iso(data[0].timestamp),
    end: iso(data[kBarCount - 1].timestamp),
    initial_cash: 100000,
    final_equity: whole.curve.at(-1).equity,
    total_return: whole.curve.at(-1).equity / 100000 - 1,
    sharpe: 0.94,
    sortino: 1.31,
    calmar: 0.62,
    max_drawdown: whole.worst,
    annual_volatility: 0.083,
    turnover: 4.7,
    bars_count: kBarCount,
    orders_count: whole.orders.length,
    fills_count: whole.fills.length,
    dataset_hash: "9f2c1d04be91aa7d3ef20b7c55e0a3d6f1c94427be0d8a2f6630c1b7a9e4d512",
    config: config("AAPL.SIM", strategy),
    error: null,
    created_at: iso(Date.now() - hours * 3_600_000),
    finished_at: iso(Date.now() - hours * 3_600_000 + 900),
  });
  const backtests = empty
    ? []
    : [
        backtest("bt1", "aapl-meanrev-backtest", "mean_reversion", 0.2),
        backtest("bt2", "aapl-cross", "sma_cross", 3),
      ];
  const symbols = empty
    ? []
    : [
        ["AAPL.SIM", data],
        ["SPX.SIM", sp500],
      ];
  const accepted = (task) => ({
    task_id: task,
    status: "queued",
    stream_url: `/chat/stream/${task}`,
  });
  const missing = (what) => json(404, { detail: `There is no such ${what}.` });

  return async (url, request, body) => {
    const path = url.pathname;
    if (path === "/dash/config.json")
      return json(200, { traceUiUrl: `http://127.0.0.1:${tracePort}` });
    if (path === "/portfolio/kill_switch") {
      if (request.method === "POST")
        Object.assign(kill, { engaged: body.engage, reason: body.engage ? body.reason : "" });
      return json(200, kill);
    }
    if (path === "/paper/runs") return json(200, runs);
    if (path.startsWith("/paper/runs/")) {
      const id = path.split("/")[3];
      const run = runs.find((r) => r.id === id || r.task_id === id);
      return run ? json(200, detail(run)) : missing("session");
    }
    if (path === "/data/ingest") return json(202, accepted("task-ingest"));
    if (path === "/paper/start" || path === "/backtest/run") {
      const { lookback } = body.config.strategy.params;
      if (lookback < 2)
        return json(422, {
          detail: [
            {
              loc: ["body", "config", "strategy", "params", "lookback"],
              msg: `strategy mean_reversion: lookback is ${lookback}, must be from 2 to 100000`,
              type: "out_of_range",
              input: lookback,
            },
          ],
        });
      if (path === "/backtest/run") return json(202, accepted("task-bt1"));
      const begun = runRow(`run${runs.length + 1}`, body.run_name, "mean_reversion", "running", {
        config: body.config,
      });
      const ended = { status: "completed", stopped_at: iso(Date.now()), bars_seen: 60 };
      setTimeout(() => runs.unshift(begun), 1500);
      setTimeout(
        () => Object.assign(begun, ended, { final_equity: 100000, total_return: 0 }),
        4000,
      );
      return json(202, accepted(begun.task_id));
    }
    if (path === "/openapi.json") return json(200, openapi);
    if (path.startsWith("/paper/stop/"))
      return json(200, {
        task_id: path.split("/")[3],
        reason: url.searchParams.get("reason"),
        ok: true,
      });
    if (path === "/backtest/runs") return json(200, backtests);
    const plot = /^\/backtest\/runs\/([^/]+)(?:\/plot\/(equity|drawdown))?$/.exec(path);
    if (plot) {
      const run = backtests.find((r) => r.id === plot[1] || r.task_id === plot[1]);
      if (!run) return missing("backtest");
      return json(
        200,
        plot[2]
          ? {
              run_id: run.id,
              points: whole.curve.map((p) => ({ timestamp: p.timestamp, value: p[plot[2]] })),
            }
          : run,
      );
    }
    if (path === "/data")
      return json(
        200,
        symbols.map(([vt_symbol, list]) => ({
          vt_symbol,
          interval: "1d",
          count: list.length,
          first: iso(list[0].timestamp),
          last: iso(list.at(-1).timestamp),
        })),
      );
    const wanted = /^\/data\/([^/]+)\/bars$/.exec(path);
    if (wanted) {
      const found = symbols.find(([symbol]) => symbol === decodeURIComponent(wanted[1]));
      return found
        ? json(200, {
            vt_symbol: found[0],
            count: found[1].length,
            bars: found[1].map((b) => ({
              ...b,
              timestamp: iso(b.timestamp),
              adjusted_close: null,
            })),
          })
        : missing("symbol");
    }
    if (path === "/brokers")
      return json(200, [
        {
          venue: "sim",
          configured: true,
          note: "the simulated exchange",
          host: "127.0.0.1:8100",
          account: "simulated",
        },
        {
          venue: "alpaca",
          configured: true,
          note: null,
          host: "paper-api.alpaca.markets",
          account: "paper",
        },
        {
          venue: "tradier",
          configured: false,
          note: "Set ALPHASWARM_TRADIER_TOKEN and ALPHASWARM_TRADIER_ACCOUNT_ID.",
          host: null,
          account: null,
        },
      ]);
    if (path === "/brokers/alpaca/status")
      return json(200, { venue: "alpaca", connected: false, detail: "this is a mock" });
    if (path === "/brokers/sim/status")
      return json(200, { venue: "sim", connected: true, detail: "127.0.0.1:8100" });
    if (path === "/brokers/sim/account")
      return json(200, {
        venue: "sim",
        id: "sim-1",
        status: "active",
        cash: round(last.equity - 9000),
        equity: last.equity,
        buying_power: round(last.equity - 9000),
      });
    if (path === "/brokers/sim/positions") return json(200, detail(running).positions);
    return undefined;
  };
}

export function streamFrames(path, send, close) {
  const task = path.split("/").pop();
  if (task !== "task-run1") {
    send(
      JSON.stringify({
        task_id: task,
        stage: "queued",
        message: "waiting",
        timestamp: Date.now() / 1000,
        tags: {},
      }),
    );
    return () => close;
  }
  const timer = setInterval(
    () =>
      send(
        JSON.stringify({
          task_id: task,
          stage: "bar",
          message: `bar ${kRunningAt} of ${kBarCount}`,
          bars_done: kRunningAt,
          bars_total: kBarCount,
          timestamp: Date.now() / 1000,
          tags: {},
        }),
      ),
    1000,
  );
  return () => clearInterval(timer);
}
