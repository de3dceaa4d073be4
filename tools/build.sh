#!/usr/bin/env bash
# make build: packages, web pages, release binary.
. "$(dirname "$0")/setup/lib.sh"
missing=$(missing_packages tools/setup/build-packages.txt)
[ -z "$missing" ] || install_packages $missing
tools/setup/webui.sh
build_preset release alphaswarm
say "built build/release/bin/alphaswarm in $(clock)"
