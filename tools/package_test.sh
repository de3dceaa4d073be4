#!/usr/bin/env bash
# The Debian packages on a clean Debian 12: made, installed with what they depend on, used, removed.
# Needs root, for the clean Debian is a root of its own.
#   package_test.sh BUILD_FOLDER [BUILD_FOLDER_WITHOUT_TRACING]
. "$(dirname "$0")/setup/lib.sh"
build=$1 untraced=${2:-}
out=$root/build/package
clean=$out/root
if [ "$(id -u)" != 0 ] || ! command -v debootstrap >/dev/null; then
  say "skipped: the packages on a clean Debian need root and debootstrap"
  exit 0
fi
# The mirror this machine itself uses.
mirror=$(apt-get indextargets --format '$(SITE) $(RELEASE)' | awk '$2 == "bookworm" {print $1; exit}')
[ -n "$mirror" ] || { say "skipped: no mirror of Debian 12 is configured"; exit 0; }
mkdir -p "$out"

logged() {  # WHAT COMMAND…: its output is shown only where it fails
  local what=$1
  shift
  "$@" >"$out/log" 2>&1 || { tail -30 "$out/log" >&2; die "$what"; }
}
as_inside=(chroot "$clean" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root DEBIAN_FRONTEND=noninteractive)
inside() { "${as_inside[@]}" "$@"; }
install_deb() {  # FILE…: by apt, which fetches what they depend on
  cp "$@" "$clean/tmp/"
  logged "$(basename "$1") does not install" inside apt-get -q -y --no-install-recommends install "${@/#*\//\/tmp\/}"
}

make_packages() {  # BUILD_FOLDER COMPONENTS
  (cd "$1" && logged "cpack failed" cpack -B "$out/debs" -D CPACK_COMPONENTS_ALL="$2")
}

clean_debian() {
  if [ ! -f "$out/debian.tar" ]; then
    rm -rf --one-file-system "$clean"
    logged "debootstrap failed" debootstrap --variant=minbase --include=ca-certificates bookworm "$clean" "$mirror"
    # How this machine reaches its mirror, security updates included.
    cp -r /etc/apt/sources.list* "$clean/etc/apt/" 2>/dev/null || true
    find "$clean/etc/apt/sources.list.d" -type f ! -name '*.list' ! -name '*.sources' -delete
    apt-config dump | grep '^Acquire::[Hh]ttp' >"$clean/etc/apt/apt.conf.d/90mirror" || true
    # A root that is thrown away needs no flush to disk after every file.
    echo force-unsafe-io >"$clean/etc/dpkg/dpkg.cfg.d/unsafe-io"
    logged "apt-get update failed" inside apt-get -q update
    tar -C "$clean" -cf "$out/debian.tar.part" . && mv "$out/debian.tar.part" "$out/debian.tar"
  fi
  rm -rf --one-file-system "$clean"
  mkdir -p "$clean"
  tar -C "$clean" -xf "$out/debian.tar"
}

check_program() {
  inside alphaswarm version
  inside alphaswarm settings >/dev/null
  local file
  for file in lib/systemd/system/alphaswarm-api.service share/man/man1/alphaswarm-trace-list.1.gz \
      share/bash-completion/completions/alphaswarm share/zsh/vendor-completions/_alphaswarm \
      share/fish/vendor_completions.d/alphaswarm.fish share/doc/alphaswarm/copyright share/alphaswarm/embedded.yaml; do
    [ -f "$clean/usr/$file" ] || die "the package lacks /usr/$file"
  done
  # A span from doctor to the collector of the package, and back by its query API.
  local offset pid
  offset=$(PYTHONPATH=$root/tests/interop python3 -c 'from support import free_offset; print(free_offset())')
  "${as_inside[@]}" alphaswarm collector --port-offset $offset --data-dir /tmp/data >"$out/collector.log" 2>&1 &
  pid=$!
  trap "kill $pid 2>/dev/null || true" EXIT
  for _ in $(seq 100); do grep -q '^ready' "$out/collector.log" && break; kill -0 $pid || break; sleep 0.1; done
  local how
  for how in "grpc $((4317 + offset))" "http/protobuf $((4318 + offset))"; do
    logged "the installed program does not trace by ${how% *}" inside ALPHASWARM_OTEL_PROTOCOL="${how% *}" \
      ALPHASWARM_OTEL_ENDPOINT="http://127.0.0.1:${how#* }" alphaswarm doctor --data-dir /tmp/data \
      --query http://127.0.0.1:$((16686 + offset)) --metrics http://127.0.0.1:1/metrics
    say "alphaswarm: traces by ${how% *}"
  done
  kill $pid
  wait $pid || die "the installed collector does not end cleanly"
  trap - EXIT
}

check_untraced_program() {  # it took the place of its sibling, and says what it is
  inside alphaswarm version
  [ "$(inside dpkg-query -W -f '${db:Status-Status}' alphaswarm 2>/dev/null)" != installed ] ||
    die "alphaswarm and alphaswarm-no-otel are both installed"
  local said
  said=$(inside alphaswarm doctor --data-dir /tmp/untraced || true)
  grep -q '^WRONG *build .*package without no-otel in its name' <<<"$said" || die "the untraced program's doctor says: $said"
  say "alphaswarm-no-otel takes the place of alphaswarm, after $(clock)"
}

check_sdk() {  # EXPECTED OUTPUT
  rm -rf "$clean/tmp/external"
  cp -r examples/external "$clean/tmp/external"
  local output
  logged "the example does not build by CMake" inside sh -c 'cd /tmp/external && cmake -B build && cmake --build build'
  output=$(inside /tmp/external/build/external)
  [ "$output" = "$1" ] || die "by CMake: $output"
  logged "the example does not build by pkg-config" inside sh -c \
    'cd /tmp/external && g++ -std=c++23 main.cpp -o by_pkg_config $(pkg-config --cflags --libs alphaswarm-observability)'
  output=$(inside /tmp/external/by_pkg_config)
  [ "$output" = "$1" ] || die "by pkg-config: $output"
  say "$1"
}

rm -rf "$out/debs"
make_packages "$build" 'alphaswarm;observability'
clean_debian
say "a clean Debian 12 after $(clock)"

install_deb "$out"/debs/alphaswarm_*.deb
check_program
say "alphaswarm: installed, runs, after $(clock)"

logged "no compiler" inside apt-get -q -y --no-install-recommends install g++ cmake make
install_deb "$out"/debs/libalphaswarm-observability-dev_*.deb
check_sdk "spans 1, metrics 1, logs 1"
say "libalphaswarm-observability-dev: a project outside of the tree builds and runs, after $(clock)"
if [ -n "$untraced" ]; then
  make_packages "$untraced" 'alphaswarm;observability'
  install_deb "$out"/debs/alphaswarm-no-otel_*.deb
  check_untraced_program
  install_deb "$out"/debs/libalphaswarm-observability-no-otel-dev_*.deb
  check_sdk "spans 0, metrics 1, logs 1"
  say "libalphaswarm-observability-no-otel-dev takes its place, after $(clock)"
fi

logged "the packages do not go" inside sh -c 'apt-get -q -y purge $(dpkg-query -W -f "\${Package} " "*alphaswarm*")'
left=$(cd "$clean" && find usr etc var/lib -iname '*alphaswarm*' ! -path 'var/lib/apt/*' ! -path 'var/lib/dpkg/*')
[ -z "$left" ] || die "purge leaves $left"
rm -rf --one-file-system "$clean"
say "packages: install, serve and go on a clean Debian 12, in $(clock)"
