#!/bin/sh
# Starts the whole system in a temporary folder on ports of its own, lets its demo run, and runs the
# browser tests against it. Needs Chromium and a Node (tools/setup/webui.sh installs one into build/venv).
# usage: tests/browser/run.sh ALPHASWARM [MARKET_DATA] [TEST…]
set -eu
binary=$(realpath "$1")
market_data=$(realpath "${2:-build/datasets}")
[ $# -ge 2 ] && shift 2 || shift 1
cd "$(dirname "$0")"
venv=$(realpath ../../build/venv 2>/dev/null || echo /nowhere)
[ -x "$venv/bin/node" ] && PATH="$venv/bin:$PATH"
if [ ! -f node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  npm ci --no-audit --no-fund --loglevel=error
fi

folder=$(mktemp -d)
system=
stop() {
  [ -n "$system" ] && kill "$system" 2>/dev/null && wait "$system" 2>/dev/null
  rm -rf "$folder"
}
trap stop EXIT
trap 'exit 130' INT TERM

# An offset whose ports are all free: another run may be under way beside this one.
offset=$(node --input-type=module -e '
  import { createServer } from "node:net";
  const ports = [8000, 8100, 4317, 4318, 16686, 8888, 8889];
  const free = (port) => new Promise((done) => {
    const server = createServer().once("error", () => done(false));
    server.listen(port, "127.0.0.1", () => server.close(() => done(true)));
  });
  for (let tries = 0; tries < 100; tries++) {
    const offset = 20000 + 100 * Math.floor(Math.random() * 250);
    if ((await Promise.all(ports.map((port) => free(port + offset)))).every(Boolean)) {
      console.log(offset);
      process.exit(0);
    }
  }
  process.exit(1);')

# The venue Alpaca is our own exchange, which speaks its protocol: the tests move its market.
exchange="127.0.0.1:$((8100 + offset))"
ALPHASWARM_ALPACA_BASE_URL="http://$exchange" ALPHASWARM_ALPACA_DATA_URL="http://$exchange" \
ALPHASWARM_ALPACA_STREAM_URL="ws://$exchange" ALPHASWARM_ALPACA_KEY_ID=browser \
ALPHASWARM_ALPACA_SECRET_KEY=secret \
"$binary" up --port-offset "$offset" --data-dir "$folder/data" --market-data "$market_data" \
  > "$folder/log" 2>&1 &
system=$!
export ALPHASWARM_TRACE_URL="http://127.0.0.1:$((16686 + offset))"
export ALPHASWARM_DASH_URL="http://127.0.0.1:$((8000 + offset))"
export ALPHASWARM_VENUE_URL="http://$exchange"
export ALPHASWARM_OTLP_URL="http://127.0.0.1:$((4318 + offset))"

# The demo's session, which the tests look at, must have ended.
if ! node --input-type=module -e '
  const deadline = Date.now() + 120_000;
  for (;;) {
    const runs = await fetch(`${process.env.ALPHASWARM_DASH_URL}/paper/runs`).then((r) => r.json()).catch(() => []);
    if (Array.isArray(runs) && runs.some((run) => run.status === "completed")) process.exit(0);
    if (Date.now() > deadline) process.exit(1);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }'; then
  echo "the system did not complete its demo within two minutes:" >&2
  cat "$folder/log" >&2
  exit 1
fi

if [ $# -eq 0 ]; then set -- *.test.mjs; fi
node --test --test-concurrency=1 --test-reporter=spec "$@"
