#!/usr/bin/env bash
# The documents' code blocks (tests/docs_test.py), in a network of their own: what they say about ports is then
# true and in nobody's way. And the diagrams, drawn by mermaid in a browser.
#   docs_test.sh ALPHASWARM
. "$(dirname "$0")/setup/lib.sh"
binary=$1
deploy=build/deploy
for file in compose.yaml dev.yaml prod.yaml venv/complete; do
  [ -e $deploy/$file ] || die "$deploy/$file is not there: run the stage deploy first"
done
python=$deploy/venv/bin/python
up='import fcntl, socket, struct
with socket.socket() as any: fcntl.ioctl(any, 0x8914, struct.pack("16sH14x", b"lo", 0x49))  # SIOCSIFFLAGS: up'
if unshare --net true 2>/dev/null; then alone="unshare --net"; else alone="unshare --map-root-user --net"; fi
if $alone true 2>/dev/null; then
  PYTHONDONTWRITEBYTECODE=1 $alone bash -c '"$1" -c "$2" && exec "$1" tests/docs_test.py "$3" build/release "$4"' \
    bash $python "$up" "$binary" $deploy
else
  say "skipped: running the documents' blocks needs a network namespace"
fi

PATH="$(tools/setup/node.sh):$PATH"
python3 tests/docs_diagrams.py build/docs
