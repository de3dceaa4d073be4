// Deterministic data in the shapes of the real services, for tests and screenshots: a paper session like
// the reference's, at any size. A test tool only; nothing of it is part of what is served to a user.

/** mulberry32: small, seedable, good enough for pictures. */
export function random(seed) {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const hex = (next, bytes) =>
  Array.from({ length: bytes }, () =>
    Math.floor(next() * 256)
      .toString(16)
      .padStart(2, "0"),
  ).join("");

export const kServices = [
  "alphaswarm-api",
  "alphaswarm-worker",
  "alphaswarm-paper-trader",
  "alphaswarm-exchange",
];
const [API, WORKER, PAPER, EXCHANGE] = [0, 1, 2, 3];
const [INTERNAL, SERVER, CLIENT, PRODUCER, CONSUMER] = [1, 2, 3, 4, 5];

export function bars(seed, count, first, drift = 0.0009) {
  const next = random(seed);
  const result = [];
  let close = first;
  for (let i = 0; i < count; i++) {
    const open = close * (1 + (next() - 0.5) * 0.006);
    const shock = (next() + next() + next() - 1.5) * 0.022;
    close = open * (1 + shock + drift);
    const high = Math.max(open, close) * (1 + next() * 0.006);
    const low = Math.min(open, close) * (1 - next() * 0.006);
    result.push({
      timestamp: Date.UTC(2013, 1, 8) + Math.floor(i * 1.45) * 86_400_000,
      open,
      high,
      low,
      close,
      volume: Math.round(4e7 + next() * 9e7),
    });
  }
  return result;
}

/** A session's trace of about `target` spans. Returns the spans sorted by start, with their details. */
export function sessionTrace({ seed, target, startNs, symbol = "AAPL.SIM", slowBar = undefined }) {
  const next = random(seed);
  const traceId = hex(next, 16);
  const runId = `${hex(next, 4)}-${hex(next, 2)}-4${hex(next, 2).slice(1)}-a${hex(next, 2).slice(1)}-${hex(next, 6)}`;
  const taskId = `${hex(next, 4)}-${hex(next, 2)}-4${hex(next, 2).slice(1)}-b${hex(next, 2).slice(1)}-${hex(next, 6)}`;
  const spans = [];
  const add = (parent, service, name, kind, start, extra = {}) => {
    const span = {
      parent,
      service,
      name,
      kind,
      start: Math.round(start),
      duration: 0,
      status: 0,
      label: "",
      attributes: {},
      events: [],
      message: "",
      ...extra,
    };
    spans.push(span);
    return span;
  };
  const end = (span, at) => {
    span.duration = Math.max(1, Math.round(at) - span.start);
    return Math.round(at);
  };
  const leaf = (parent, service, name, kind, at, ns, extra) => {
    const duration = ns * (0.7 + next() * 0.6) * (next() < 0.01 ? 3 : 1);
    return end(add(parent, service, name, kind, at, extra), at + duration);
  };
  const sql = (text, operation, table) => ({
    attributes: {
      "db.system.name": "sqlite",
      "db.namespace": "alphaswarm.db",
      "db.operation.name": operation,
      "db.collection.name": table,
      "db.query.text": text,
    },
  });

  const root = add(null, API, "POST /paper/start", SERVER, 0, {
    attributes: {
      "http.request.method": "POST",
      "http.route": "/paper/start",
      "url.path": "/paper/start",
      "url.scheme": "http",
      "server.address": "127.0.0.1",
      "server.port": 8000,
      "http.response.status_code": 202,
      "network.protocol.version": "1.1",
    },
  });
  let t = leaf(
    root,
    API,
    "INSERT tasks",
    CLIENT,
    300_000,
    2_100_000,
    sql("INSERT INTO tasks (id, name, status) VALUES (?, ?, ?)", "INSERT", "tasks"),
  );
  const producer = add(
    root,
    API,
    "apply_async/alphaswarm.tasks.paper_tasks.run_paper",
    PRODUCER,
    t + 200_000,
    {
      attributes: {
        "celery.action": "apply_async",
        "celery.task_name": "alphaswarm.tasks.paper_tasks.run_paper",
        "messaging.system": "redis",
        "messaging.destination.name": "paper",
        "messaging.message.id": taskId,
      },
    },
  );
  t = end(
    producer,
    leaf(producer, API, "LPUSH", CLIENT, t + 300_000, 600_000, {
      attributes: {
        "db.system.name": "redis",
        "db.operation.name": "LPUSH",
        "db.query.text": "LPUSH ? ?",
      },
    }) + 100_000,
  );
  end(root, t + 900_000);
  const run = add(
    producer,
    WORKER,
    "run/alphaswarm.tasks.paper_tasks.run_paper",
    CONSUMER,
    t + 3_000_000,
    {
      attributes: {
        "celery.action": "run",
        "celery.task_name": "alphaswarm.tasks.paper_tasks.run_paper",
        "celery.state": "SUCCESS",
        "messaging.destination.name": "paper",
        "messaging.message.id": taskId,
      },
    },
  );
  const session = add(run, PAPER, "paper.session.run", INTERNAL, run.start + 900_000, {
    attributes: {
      "alphaswarm.run_id": runId,
      "alphaswarm.task_id": taskId,
      "alphaswarm.run_name": "aapl-meanrev",
      "strategy.name": "mean_reversion",
      "broker.venue": "sim",
    },
  });
  t = leaf(
    session,
    PAPER,
    "INSERT paper_trading_runs",
    CLIENT,
    session.start + 200_000,
    3_200_000,
    sql(
      "INSERT INTO paper_trading_runs (id, task_id, trace_id) VALUES (?, ?, ?)",
      "INSERT",
      "paper_trading_runs",
    ),
  );
  const data = bars(seed, 6000, 67, 0.0007);
  const slow = slowBar ?? Math.floor(target / 11 / 1.25);
  let orders = 0;
  let held = false;
  for (let bar = 1; spans.length < target - 1 && target > 40; bar++) {
    const price = data[bar % data.length].close;
    const barSpan = add(
      session,
      PAPER,
      "paper.session.bar",
      INTERNAL,
      t + 40_000 + next() * 60_000,
      {
        label: `bar ${bar}`,
        attributes: {
          "market.symbol": symbol,
          "market.bar_time": new Date(data[bar % data.length].timestamp).toISOString(),
          "paper.bar_index": bar,
        },
      },
    );
    t = leaf(barSpan, PAPER, "GET", CLIENT, barSpan.start + 20_000, 90_000, {
      attributes: {
        "db.system.name": "redis",
        "db.operation.name": "GET",
        "db.query.text": "GET ?",
      },
    });
    const advance = add(barSpan, PAPER, "POST", CLIENT, t + 10_000, {
      label: "200",
      attributes: {
        "http.request.method": "POST",
        "url.full": "http://127.0.0.1:8100/sim/v1/advance",
        "server.address": "127.0.0.1",
        "server.port": 8100,
        "http.response.status_code": 200,
      },
    });
    const handled = leaf(
      advance,
      EXCHANGE,
      "POST /sim/v1/advance",
      SERVER,
      advance.start + 120_000,
      300_000,
      {
        attributes: {
          "http.request.method": "POST",
          "http.route": "/sim/v1/advance",
          "http.response.status_code": 200,
        },
      },
    );
    t = end(advance, handled + 110_000);
    t = leaf(barSpan, PAPER, "strategy.on_bar", INTERNAL, t + 10_000, 40_000, {
      attributes: {
        "strategy.name": "mean_reversion",
        "strategy.z_score": Number(((next() - 0.5) * 5).toFixed(3)),
      },
    });
    if (bar === slow || next() < 0.09) t = submit(barSpan, t, price, bar === slow);
    t = leaf(
      barSpan,
      PAPER,
      "INSERT ledger_entries",
      CLIENT,
      t + 10_000,
      180_000,
      sql(
        "INSERT INTO ledger_entries (id, run_id, entry_type, payload) VALUES (?, ?, ?, ?)",
        "INSERT",
        "ledger_entries",
      ),
    );
    t = leaf(
      barSpan,
      WORKER,
      "SELECT tasks",
      CLIENT,
      t + 8_000,
      60_000,
      sql("SELECT status FROM tasks WHERE id = ?", "SELECT", "tasks"),
    );
    if (bar % 10 === 0)
      t = leaf(
        barSpan,
        PAPER,
        "UPDATE paper_trading_runs",
        CLIENT,
        t + 10_000,
        240_000,
        sql("UPDATE paper_trading_runs SET state = ? WHERE id = ?", "UPDATE", "paper_trading_runs"),
      );
    const publish = add(barSpan, PAPER, "ws.publish", PRODUCER, t + 5_000, {
      attributes: {
        "alphaswarm.namespace": "task",
        "alphaswarm.channel_id": taskId,
        "alphaswarm.payload_kind": "progress",
      },
    });
    t = end(
      publish,
      leaf(publish, PAPER, "PUBLISH", CLIENT, publish.start + 8_000, 50_000, {
        attributes: {
          "db.system.name": "redis",
          "db.operation.name": "PUBLISH",
          "db.query.text": "PUBLISH ? ?",
        },
      }) + 9_000,
    );
    t = end(barSpan, t + 15_000);
  }

  function submit(barSpan, at, price, isSlow) {
    orders++;
    held = !held;
    const client = `${runId.slice(0, 8)}-${String(orders).padStart(6, "0")}`;
    const order = {
      "order.client_id": client,
      "order.side": held ? "buy" : "sell",
      "order.type": "market",
      "order.quantity": "57",
      "market.symbol": symbol,
    };
    const submitSpan = add(barSpan, PAPER, "paper.session.submit_order", INTERNAL, at + 8_000, {
      attributes: { ...order, "risk.verdict": "accepted" },
    });
    let s = leaf(
      submitSpan,
      PAPER,
      "risk.check_pretrade",
      INTERNAL,
      submitSpan.start + 5_000,
      30_000,
      {
        attributes: { "risk.breaches": [], "risk.verdict": "accepted", "order.client_id": client },
      },
    );
    const broker = add(submitSpan, PAPER, "broker.submit_order", INTERNAL, s + 6_000, {
      attributes: {
        "broker.venue": "sim",
        "order.id": `${hex(next, 4)}-${hex(next, 2)}-4${hex(next, 2).slice(1)}`,
        ...order,
      },
    });
    s = broker.start + 10_000;
    for (let attempt = 0; attempt < (isSlow ? 3 : 1); attempt++) {
      const refused = isSlow && attempt < 2;
      const code = refused ? 429 : 200;
      const post = add(broker, PAPER, "POST", CLIENT, s, {
        label: String(code),
        status: refused ? 2 : 0,
        attributes: {
          "http.request.method": "POST",
          "url.full": "http://127.0.0.1:8100/v2/orders",
          "server.address": "127.0.0.1",
          "server.port": 8100,
          "http.response.status_code": code,
          ...(attempt ? { "http.request.resend_count": attempt } : {}),
          ...(refused ? { "error.type": "429" } : {}),
        },
      });
      const handled = leaf(post, EXCHANGE, "POST /v2/orders", SERVER, s + 400_000, 2_100_000, {
        label: refused ? "429" : "",
        status: 0,
        attributes: {
          "http.request.method": "POST",
          "http.route": "/v2/orders",
          "http.response.status_code": code,
          "order.client_id": client,
        },
      });
      s = end(post, handled + 500_000);
      if (refused) {
        const wait = attempt === 0 ? 100e6 : 300e6;
        broker.events.push({
          at: s,
          name: "retry",
          attributes: { "http.response.status_code": 429, "retry.wait_ms": wait / 1e6 },
        });
        s += wait;
      }
    }
    s = end(broker, s + 20_000);
    submitSpan.events.push({
      at: s,
      name: "order.fill",
      attributes: { "fill.price": price.toFixed(2), "fill.quantity": "57" },
    });
    s = leaf(
      submitSpan,
      PAPER,
      "INSERT orders",
      CLIENT,
      s + 10_000,
      260_000,
      sql(
        "INSERT INTO orders (client_id, run_id, symbol, side, quantity) VALUES (?, ?, ?, ?, ?)",
        "INSERT",
        "orders",
      ),
    );
    return end(submitSpan, s + 9_000);
  }

  t = leaf(
    session,
    PAPER,
    "UPDATE paper_trading_runs",
    CLIENT,
    t + 50_000,
    4_400_000,
    sql(
      "UPDATE paper_trading_runs SET status = ?, final_equity = ? WHERE id = ?",
      "UPDATE",
      "paper_trading_runs",
    ),
  );
  end(run, end(session, t + 300_000) + 600_000);
  spans.sort((a, b) => a.start - b.start);
  for (let i = 0; i < spans.length; i++) spans[i].index = i;
  for (const span of spans) span.id = hex(next, 8);
  const durationNs = Math.max(
    ...spans.map((s) => s.start + s.duration).filter((_, i) => i < 60),
    run.start + run.duration,
  );
  return { traceId, runId, taskId, startNs: BigInt(startNs), durationNs, spans, symbol };
}

/** A trace as the UI API sends it. */
export function toColumns(trace) {
  const names = [...new Set(trace.spans.map((s) => s.name))];
  const index = new Map(names.map((name, i) => [name, i]));
  const column = (pick) => trace.spans.map(pick);
  return {
    traceId: trace.traceId,
    startNs: String(trace.startNs),
    durationNs: String(trace.durationNs),
    services: kServices,
    names,
    spans: {
      id: column((s) => s.id),
      parent: column((s) => (s.parent ? s.parent.index : -1)),
      service: column((s) => s.service),
      name: column((s) => index.get(s.name)),
      kind: column((s) => s.kind),
      status: column((s) => s.status),
      start: column((s) => s.start),
      duration: column((s) => s.duration),
      label: column((s) => s.label),
      events: column((s) => s.events.length),
    },
    orphans: 0,
    openSpans: 0,
    complete: true,
  };
}

const typeOf = (value) =>
  Array.isArray(value)
    ? "array"
    : typeof value === "string"
      ? "string"
      : typeof value === "boolean"
        ? "bool"
        : Number.isInteger(value)
          ? "int"
          : "double";
export const toAttributes = (values) =>
  Object.entries(values).map(([key, value]) => ({ key, type: typeOf(value), value }));

export function toDetail(trace, span) {
  return {
    spanId: span.id,
    parentSpanId: span.parent ? span.parent.id : "",
    service: kServices[span.service],
    resource: {
      "service.name": kServices[span.service],
      "service.namespace": "alphaswarm",
      "service.version": "0.1.0",
      "service.instance.id": "demo-1",
      "process.pid": 4711,
      "telemetry.sdk.language": "cpp",
    },
    scope: { name: "alphaswarm", version: "0.1.0" },
    name: span.name,
    kind: span.kind,
    status: {
      code: span.status,
      message: span.status === 2 ? "the exchange answered 429 Too Many Requests" : "",
    },
    startNs: String(trace.startNs + BigInt(span.start)),
    durationNs: String(span.duration),
    traceState: "",
    attributes: toAttributes(span.attributes),
    events: span.events.map((e) => ({
      name: e.name,
      timeNs: String(trace.startNs + BigInt(e.at)),
      attributes: toAttributes(e.attributes),
    })),
    links: [],
    dropped: { attributes: 0, events: 0, links: 0 },
  };
}

const otlpValue = (value) =>
  Array.isArray(value)
    ? { arrayValue: { values: value.map(otlpValue) } }
    : typeof value === "string"
      ? { stringValue: value }
      : typeof value === "boolean"
        ? { boolValue: value }
        : Number.isInteger(value)
          ? { intValue: String(value) }
          : { doubleValue: value };
const otlpAttributes = (values) =>
  Object.entries(values).map(([key, value]) => ({ key, value: otlpValue(value) }));

/** The same trace as OTLP/JSON requests of at most `most` spans each. */
export function* toOtlp(trace, most) {
  const at = (ns) => String(trace.startNs + BigInt(ns));
  for (let first = 0; first < trace.spans.length; first += most) {
    const groups = new Map();
    for (const span of trace.spans.slice(first, first + most)) {
      const line = {
        traceId: trace.traceId,
        spanId: span.id,
        parentSpanId: span.parent ? span.parent.id : "",
        name: span.name,
        kind: span.kind,
        startTimeUnixNano: at(span.start),
        endTimeUnixNano: at(span.start + span.duration),
        attributes: otlpAttributes(span.attributes),
        events: span.events.map((e) => ({
          timeUnixNano: at(e.at),
          name: e.name,
          attributes: otlpAttributes(e.attributes),
        })),
        status:
          span.status === 2
            ? { code: 2, message: "the exchange answered 429 Too Many Requests" }
            : {},
      };
      if (groups.has(span.service)) groups.get(span.service).push(line);
      else groups.set(span.service, [line]);
    }
    yield {
      resourceSpans: [...groups].map(([service, spans]) => ({
        resource: {
          attributes: otlpAttributes({
            "service.name": kServices[service],
            "service.namespace": "alphaswarm",
          }),
        },
        scopeSpans: [{ scope: { name: "generated" }, spans }],
      })),
    };
  }
}
