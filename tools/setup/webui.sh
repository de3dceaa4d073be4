#!/usr/bin/env bash
# The web pages: webui/dist from webui/, rebuilt when a source is newer than the last build.
. "$(dirname "$0")/lib.sh"
[ -f webui/package.json ] || exit 0
if [ -f webui/dist/manifest.json ] &&
  [ -z "$(find webui -path webui/node_modules -prune -o -path webui/dist -prune -o -type f -newer webui/dist/manifest.json -print -quit)" ]; then
  exit 0
fi
PATH="$(tools/setup/node.sh):$PATH"
cd webui
# What only checks and tests need stays out; the lock file decides every version.
if [ ! -f node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  npm ci --omit=dev --no-audit --no-fund --loglevel=error
fi
npm run --silent build
