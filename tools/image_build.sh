#!/usr/bin/env bash
# The build steps of the container images, which the Dockerfile and the tests share.
#   image_build.sh packages     install what building needs
#   image_build.sh compile      web pages and release binary
#   image_build.sh stage DEST   binary, the libraries it loads and the deployed configuration, under DEST
. "$(dirname "$0")/setup/lib.sh"
binary=${BINARY:-build/release/bin/alphaswarm}

step_packages() {
  local missing
  missing=$(missing_packages tools/setup/build-packages.txt)
  [ -z "$missing" ] || install_packages $missing
}

step_compile() {
  tools/setup/webui.sh
  build_preset release alphaswarm
}

step_stage() {
  local dest=$1 library libcurl
  mkdir -p "$dest/usr/bin" "$dest/etc/alphaswarm" "$dest/etc/ssl/certs" "$dest/tmp"
  cp "$binary" "$dest/usr/bin/alphaswarm"
  strip "$dest/usr/bin/alphaswarm"
  # Library and loader paths as the binary resolves them; the base image is the same Debian.
  # libcurl is loaded by its name, when spans go out over HTTP.
  libcurl=$(/sbin/ldconfig -p | awk '$1 == "libcurl.so.4" {print $NF; exit}')
  [ -n "$libcurl" ] || die "libcurl is not installed"
  { echo "$libcurl"; ldd "$binary" "$libcurl" | grep '^[[:space:]]' | grep -o '/[^ ]*'; } | sort -u | while read -r library; do
    mkdir -p "$dest$(dirname "$library")"
    cp -L "$library" "$dest$library"
  done
  cp /etc/ssl/certs/ca-certificates.crt "$dest/etc/ssl/certs/"
  cp alphaswarm_platform/deploy/otel/*.yaml "$dest/etc/alphaswarm/"
}

case "${1:-}" in
  packages | compile) "step_$1" ;;
  stage) step_stage "${2:?a folder}" ;;
  *) die "usage: image_build.sh packages | compile | stage DEST" ;;
esac
