#!/usr/bin/env bash
# The Debian package on a clean Debian 12: made, installed with what it depends on, run, removed. Needs root.
#   package_test.sh BUILD_FOLDER
. "$(dirname "$0")/setup/lib.sh"
build=$1
out=$root/build/package
if [ "$(id -u)" != 0 ] || ! command -v debootstrap >/dev/null; then
  say "skipped: the package on a clean Debian needs root and debootstrap"
  exit 0
fi
# The mirror this machine itself uses.
mirror=$(apt-get indextargets --format '$(SITE) $(RELEASE)' | awk '$2 == "bookworm" {print $1; exit}')
[ -n "$mirror" ] || { say "skipped: no mirror of Debian 12 is configured"; exit 0; }
mkdir -p "$out"
rm -f "$out"/*.deb
(cd "$build" && cpack -B "$out") >"$out/cpack.log" 2>&1 || { tail -20 "$out/cpack.log"; die "cpack failed"; }

clean=$out/root
rm -rf --one-file-system "$clean"
debootstrap --variant=minbase --include=ca-certificates bookworm "$clean" "$mirror" >"$out/debootstrap.log" 2>&1 ||
  { tail -5 "$out/debootstrap.log"; die "debootstrap failed"; }
cp -r /etc/apt/sources.list* "$clean/etc/apt/" 2>/dev/null || true
[ ! -d /etc/apt/apt.conf.d ] || cp -r /etc/apt/apt.conf.d/. "$clean/etc/apt/apt.conf.d/"
cp "$out"/alphaswarm_*.deb "$clean/tmp/"
chroot "$clean" sh -c 'apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install /tmp/alphaswarm_*.deb' \
  >"$out/install.log" 2>&1 || { tail -20 "$out/install.log"; die "the package does not install"; }
chroot "$clean" alphaswarm version
chroot "$clean" alphaswarm settings >/dev/null
chroot "$clean" test -f /usr/lib/systemd/system/alphaswarm-api.service
chroot "$clean" apt-get -qq -y purge alphaswarm >>"$out/install.log" 2>&1
chroot "$clean" sh -c '! command -v alphaswarm' || die "purge leaves the program"
rm -rf --one-file-system "$clean"
say "package: installs, runs and goes on a clean Debian 12"
