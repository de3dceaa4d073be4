#!/usr/bin/env bash
# Types, style and unit tests of the web pages, then the browser tests against a running system that
# has ingested, backtested and traded real market data.
. "$(dirname "$0")/../../tools/setup/lib.sh"
PATH="$(tools/setup/node.sh):$PATH"
(cd webui && npm ci --no-audit --no-fund --loglevel=error && npm run --silent check && npm test --silent)
(cd tests/browser && npm ci --no-audit --no-fund --loglevel=error)

folder=$(mktemp -d)
offset=$((3000 + RANDOM % 9000))
build/release/bin/alphaswarm up --port-offset $offset --data-dir "$folder/data" --market-data build/datasets \
  >"$folder/log" 2>&1 &
system=$!
trap 'kill $system 2>/dev/null; wait $system 2>/dev/null; rm -rf "$folder"' EXIT
for _ in $(seq 300); do
  grep -q '^running' "$folder/log" && break
  kill -0 $system 2>/dev/null || { cat "$folder/log"; die "alphaswarm up ended early"; }
  sleep 0.2
done
cd tests/browser
ALPHASWARM_TRACE_URL=http://127.0.0.1:$((16686 + offset)) ALPHASWARM_DASH_URL=http://127.0.0.1:$((8000 + offset)) \
  ALPHASWARM_OTLP_URL=http://127.0.0.1:$((4318 + offset)) npm test --silent
