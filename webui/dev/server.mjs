// Serves the built pages with generated data behind them, to develop and to take pictures:
//   npm run build && npm run mock
// trace UI on 26686 (PORT_TRACE), dashboard on 28000 (PORT_DASH). EMPTY=1 answers as a fresh store does.
// The traces of 10, 50,000 and 200,000 spans are listed at start.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { kServices, sessionTrace, toColumns, toDetail } from "./generate.mjs";
import { dashRoutes, streamFrames } from "./trading.mjs";
import { acceptWebSocket } from "./websocket.mjs";

const kTracePort = Number(process.env.PORT_TRACE ?? 26686);
const kDashPort = Number(process.env.PORT_DASH ?? 28000);
const empty = process.env.EMPTY === "1";
const slowMs = Number(process.env.SLOW_MS ?? 0);
const dist = new URL("../dist/", import.meta.url);
const manifest = JSON.parse(await readFile(new URL("manifest.json", dist), "utf8"));

const now = BigInt(Date.now()) * 1_000_000n;
const sizes = [14_000, 10, 50_000, 200_000, 4_000, 900, 2_600, 700, 60, 6_500, 1_200, 300];
const traces = empty
  ? []
  : sizes.map((target, i) =>
      sessionTrace({
        seed: 11 + i,
        target,
        startNs: now - BigInt(Math.round((i + 0.3) * 97 + ((i * i * 7919) % 311))) * 1_000_000_000n,
        symbol: i % 3 === 1 ? "MSFT.SIM" : "AAPL.SIM",
        slowBar: i % 4 === 3 ? -1 : undefined,
      }),
    );
for (const trace of traces.slice(0, 4))
  console.log(`${trace.spans.length} spans: http://127.0.0.1:${kTracePort}/trace/${trace.traceId}`);

const json = (status, body) => ({ status, type: "application/json", body: JSON.stringify(body) });
const problem = (status, message) => json(status, { error: { message } });

function services() {
  return kServices
    .map((name, service) => {
      const operations = new Map();
      for (const trace of traces)
        for (const span of trace.spans) {
          if (span.service !== service) continue;
          const op = operations.get(span.name) ?? {
            name: span.name,
            kind: span.kind,
            spans: 0,
            errors: 0,
          };
          op.spans++;
          if (span.status === 2) op.errors++;
          operations.set(span.name, op);
        }
      const list = [...operations.values()];
      return {
        name,
        spans: list.reduce((n, o) => n + o.spans, 0),
        errors: list.reduce((n, o) => n + o.errors, 0),
        operations: list,
      };
    })
    .filter((s) => s.spans > 0);
}

// Everything that is counted over all spans is counted once: the pages are measured, not this server.
const memory = new Map();
function once(key, make) {
  if (!memory.has(key)) memory.set(key, make());
  return memory.get(key);
}

const goUnits = { ns: 1, us: 1e3, µs: 1e3, ms: 1e6, s: 1e9, m: 6e10, h: 36e11 };
const goDuration = (text) =>
  text
    ? [...text.matchAll(/([\d.]+)(ns|us|µs|ms|s|m|h)/g)].reduce(
        (n, [, v, u]) => n + Number(v) * goUnits[u],
        0,
      )
    : undefined;

function conditions(text) {
  return [...(text ?? "").matchAll(/([^\s=!]+)(!?=)(?:"((?:[^"\\]|\\.)*)"|(\S+))/g)].map(
    ([, key, op, quoted, bare]) => ({ key, op, value: quoted?.replace(/\\(.)/g, "$1") ?? bare }),
  );
}

function matches(span, p) {
  if (p.get("service") && kServices[span.service] !== p.get("service")) return false;
  if (p.get("operation") && span.name !== p.get("operation")) return false;
  const [least, most] = [goDuration(p.get("minDuration")), goDuration(p.get("maxDuration"))];
  if (least !== undefined && span.duration < least) return false;
  if (most !== undefined && span.duration > most) return false;
  for (const { key, op, value } of conditions(p.get("q"))) {
    const actual = key === "error" ? String(span.status === 2) : span.attributes[key];
    if ((op === "=") !== (actual !== undefined && String(actual) === value)) return false;
  }
  return true;
}

function search(p) {
  const began = process.hrtime.bigint();
  const limit = Number(p.get("limit") ?? 100);
  const asSpans = p.get("mode") === "spans";
  const found = [];
  let scanned = 0;
  for (const trace of [...traces].sort((a, b) => (a.startNs < b.startNs ? 1 : -1))) {
    if (p.get("start") && trace.startNs < BigInt(p.get("start"))) continue;
    if (p.get("end") && trace.startNs > BigInt(p.get("end"))) continue;
    scanned += trace.spans.length;
    const all = [...p.keys()].every((k) => ["mode", "limit", "start", "end"].includes(k));
    const hits = all ? trace.spans : trace.spans.filter((span) => matches(span, p));
    if (hits.length === 0) continue;
    if (asSpans) {
      for (const s of hits.slice(0, Math.max(0, limit - found.length)))
        found.push({
          traceId: trace.traceId,
          spanId: s.id,
          service: kServices[s.service],
          name: s.name,
          startNs: String(trace.startNs + BigInt(s.start)),
          durationNs: String(s.duration),
          status: s.status,
          kind: s.kind,
        });
    } else if (found.length < limit) {
      const by = once(`by ${trace.traceId}`, () =>
        kServices.map((name, i) => ({
          name,
          spans: trace.spans.filter((s) => s.service === i).length,
          errors: trace.spans.filter((s) => s.service === i && s.status === 2).length,
        })),
      );
      found.push({
        traceId: trace.traceId,
        rootService: kServices[trace.spans[0].service],
        rootName: trace.spans[0].name,
        startNs: String(trace.startNs),
        durationNs: String(trace.durationNs),
        spanCount: trace.spans.length,
        errorCount: by.reduce((n, s) => n + s.errors, 0),
        services: by.filter((s) => s.spans > 0),
        matched: hits.length,
      });
    }
  }
  return {
    [asSpans ? "spans" : "traces"]: found,
    complete: true,
    elapsedNs: String(process.hrtime.bigint() - began),
    scannedSpans: scanned,
  };
}

function attributeCounts(pick) {
  const counts = new Map();
  for (const trace of traces)
    for (const span of trace.spans)
      for (const text of pick(span)) counts.set(text, (counts.get(text) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1]);
}

function stats(p) {
  const durations = [];
  for (const trace of traces)
    for (const span of trace.spans)
      if (kServices[span.service] === p.get("service") && span.name === p.get("operation"))
        durations.push(span.duration);
  const mine = Number(p.get("spanDurationNs") ?? 0);
  const buckets = [];
  for (let low = 1e3; low < 2e10; low *= 1.25)
    buckets.push({
      lowNs: Math.round(low),
      highNs: Math.round(low * 1.25),
      count: durations.filter((d) => d >= low && d < low * 1.25).length,
    });
  const first = buckets.findIndex((b) => b.count > 0);
  const last = buckets.findLastIndex((b) => b.count > 0);
  return {
    count: durations.length,
    percentile: durations.filter((d) => d < mine).length / Math.max(1, durations.length),
    buckets: buckets.slice(Math.max(0, first), last + 1),
  };
}

const replies = new Map(); // the large replies are made once: the page is measured, not this server

function traceRoute(parts, p) {
  const trace = traces.find((t) => t.traceId === parts[1]);
  if (!/^[0-9a-f]{1,32}$/.test(parts[1]))
    return problem(400, `“${parts[1]}” is not a trace id: up to 32 hexadecimal digits.`);
  if (!trace) return problem(404, `Trace ${parts[1]} is not in the store.`);
  if (parts.length === 2) {
    if (!replies.has(trace)) replies.set(trace, json(200, toColumns(trace)));
    return replies.get(trace);
  }
  if (parts[2] === "spans") {
    const span = trace.spans.find((s) => s.id === parts[3]);
    return span
      ? json(200, toDetail(trace, span))
      : problem(404, `Span ${parts[3]} is not in this trace.`);
  }
  const wanted = (p.get("q") ?? "").toLowerCase();
  return json(200, {
    spanIds: trace.spans
      .filter(
        (s) =>
          s.name.toLowerCase().includes(wanted) ||
          Object.entries(s.attributes).some(([k, v]) => `${k}=${v}`.toLowerCase().includes(wanted)),
      )
      .map((s) => s.index),
  });
}

function traceApi(url) {
  const p = url.searchParams;
  const parts = url.pathname.replace("/api/alphaswarm/v1/", "").split("/");
  switch (parts.join("/")) {
    case "services":
      return json(200, { services: once("services", services) });
    case "search":
      return json(200, search(p));
    case "attributes/keys":
      return json(200, {
        keys: once("keys", () => attributeCounts((s) => Object.keys(s.attributes)))
          .filter(([k]) => k.startsWith(p.get("prefix") ?? ""))
          .map(([key, count]) => ({ key, count })),
      });
    case "attributes/values":
      return json(200, {
        values: once(`values ${p.get("key")}`, () =>
          attributeCounts((s) =>
            s.attributes[p.get("key")] === undefined ? [] : [String(s.attributes[p.get("key")])],
          ),
        )
          .filter(([v]) => v.startsWith(p.get("prefix") ?? ""))
          .slice(0, 50)
          .map(([value, count]) => ({ value, count })),
      });
    case "operations/stats":
      return json(
        200,
        once(`stats ${p}`, () => stats(p)),
      );
  }
  if (parts[0] === "traces" && parts.length >= 2) return traceRoute(parts, p);
  return problem(404, `There is no ${url.pathname}.`);
}

async function page(site, path) {
  const files = manifest.sites[site];
  const file =
    files.find((f) => f.urls.includes(path)) ??
    (site === "trace" && !path.startsWith("/api/") && !path.includes(".")
      ? files.find((f) => f.urls.includes("/"))
      : undefined);
  if (!file) return undefined;
  const coded = file.gzip !== undefined;
  return {
    status: 200,
    type: file.contentType,
    body: await readFile(new URL(coded ? file.gzip : file.path, dist)),
    encoding: coded ? "gzip" : undefined,
    cache: file.cacheControl,
  };
}

function serve(port, site, route) {
  const server = createServer(async (request, response) => {
    const url = new URL(request.url, `http://${request.headers.host}`);
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = chunks.length > 0 ? JSON.parse(Buffer.concat(chunks).toString() || "null") : null;
    const answer =
      (await page(site, url.pathname)) ??
      (await route(url, request, body)) ??
      json(404, { detail: "Not Found" });
    if (slowMs > 0 && answer.type === "application/json")
      await new Promise((done) => setTimeout(done, slowMs));
    response.writeHead(answer.status, {
      "content-type": answer.type,
      ...(answer.encoding ? { "content-encoding": answer.encoding } : {}),
      ...(answer.cache ? { "cache-control": answer.cache } : {}),
    });
    response.end(answer.body);
  });
  server.on("upgrade", (request, socket) => acceptWebSocket(request, socket, streamFrames));
  server.listen(port, "127.0.0.1");
}

serve(kTracePort, "trace", (url) => traceApi(url));
serve(kDashPort, "dash", dashRoutes({ traces, tracePort: kTracePort, empty, json }));
