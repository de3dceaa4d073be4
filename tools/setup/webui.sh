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
if [ ! -f node_modules/.complete ] || [ package-lock.json -nt node_modules/.complete ]; then
  npm ci --silent --no-audit --no-fund
  touch node_modules/.complete
fi
npm run --silent build
