// The running system under test, by environment:
//   ALPHASWARM_TRACE_URL  the query server, e.g. http://127.0.0.1:16686 (required)
//   ALPHASWARM_DASH_URL   the API, e.g. http://127.0.0.1:8000 (dashboard tests are skipped without it)
//   ALPHASWARM_VENUE_URL  the simulated exchange that the service knows as Alpaca, with the key id "browser"
//                         (tests of live sessions are skipped without it)
//   ALPHASWARM_OTLP_URL   OTLP over HTTP, e.g. http://127.0.0.1:4318: large traces that are not there yet are sent to it
import assert from "node:assert/strict";
import { sessionTrace, toOtlp } from "../../webui/dev/generate.mjs";

const strip = (url) => url?.replace(/\/$/, "");
export const traceUrl = strip(process.env.ALPHASWARM_TRACE_URL);
export const dashUrl = strip(process.env.ALPHASWARM_DASH_URL);
export const venueUrl = strip(process.env.ALPHASWARM_VENUE_URL);
export const otlpUrl = strip(process.env.ALPHASWARM_OTLP_URL);
assert.ok(traceUrl, "ALPHASWARM_TRACE_URL names the query server to test");

export async function ask(path, base = `${traceUrl}/api/alphaswarm/v1`) {
  const reply = await fetch(base + path);
  assert.equal(reply.status, 200, `${base + path} answered ${reply.status}`);
  return reply.json();
}

/** Asks until `accept` holds; fails with what was last seen. */
export async function until(what, probe, accept, limitMs = 20_000) {
  const deadline = Date.now() + limitMs;
  for (;;) {
    const seen = await probe();
    if (accept(seen)) return seen;
    assert.ok(Date.now() < deadline, `${what}: still ${JSON.stringify(seen)?.slice(0, 200)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function send(trace) {
  for (const body of toOtlp(trace, 4000)) {
    const reply = await fetch(`${otlpUrl}/v1/traces`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    assert.equal(
      reply.status,
      200,
      `the receiver answered ${reply.status}: ${await reply.clone().text()}`,
    );
  }
}

const known = new Map();

/** A trace of about `size` spans (0.8 to 2 times that): one that is there, else one that is sent. */
export async function traceOfSize(size) {
  if (known.has(size)) return known.get(size);
  const { traces } = await ask("/search?limit=1000");
  let found = traces.find((t) => t.spanCount >= 0.8 * size && t.spanCount < 2 * size);
  if (!found) {
    assert.ok(
      otlpUrl,
      `no trace of ${size} spans is there, and ALPHASWARM_OTLP_URL does not say where to send one`,
    );
    const trace = sessionTrace({
      seed: size % 9973,
      target: size,
      startNs: BigInt(Date.now() - 60_000) * 1_000_000n,
    });
    await send(trace);
    const count = trace.spans.length;
    await until(
      `the trace of ${count} spans`,
      async () => {
        const reply = await fetch(`${traceUrl}/api/alphaswarm/v1/traces/${trace.traceId}`);
        return reply.status === 200 ? (await reply.json()).spans.id.length : 0;
      },
      (n) => n === count,
      60_000,
    );
    found = { traceId: trace.traceId, spanCount: count };
  }
  known.set(size, found);
  return found;
}

export const columnsOf = (traceId) => ask(`/traces/${traceId}`);
