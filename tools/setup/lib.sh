# Shared by the scripts behind make. Sourced, not run.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$root"
started=$SECONDS

clock() { printf '%d:%02d' $((($SECONDS - started) / 60)) $((($SECONDS - started) % 60)); }
say() { printf '%s\n' "$*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

# step K N TEXT: the headline of a long step.
step() { printf '\n[%d/%d] %s  (%s)\n' "$1" "$2" "$3" "$(clock)"; }

packages() { grep -hv '^#' "$@"; }

# The packages of the given lists that are not installed.
missing_packages() {
  local name
  for name in $(packages "$@"); do
    dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null | grep -qx installed || printf '%s ' "$name"
  done
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo >/dev/null; then sudo "$@"
  else die "installing packages needs root: run as root or install sudo"; fi
}

# install_packages NAME…: Debian's progress as one line that moves, everything else in a log.
install_packages() {
  mkdir -p build
  local log=build/apt.log
  as_root apt-get update -qq >"$log" 2>&1 || die "apt-get update failed: see $log"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
    -o APT::Status-Fd=3 "$@" 3>&1 >>"$log" 2>&1 | progress_of_apt || die "apt-get install failed: see $log"
  rm -f build/*/build.ninja  # what was not there is looked for again
}

progress_of_apt() {
  local kind what percent rest
  while IFS=: read -r kind what percent rest; do
    case "$kind" in
      dlstatus | pmstatus)
        [ -t 1 ] && printf '\r  %-9s %5.1f %%  %s ' "$([ "$kind" = dlstatus ] && echo download || echo install)" \
          "${percent:-0}" "$(clock)" ;;
    esac
  done
  [ -t 1 ] && printf '\n'
  return 0
}

# build_preset PRESET TARGET…: configure when needed and build, with ninja's own progress.
build_preset() {
  local preset=$1
  shift
  mkdir -p "build/$preset"
  if [ ! -f "build/$preset/build.ninja" ]; then
    cmake --preset "$preset" ${CMAKE_ARGS:-} >"build/$preset/configure.log" 2>&1 ||
      { tail -30 "build/$preset/configure.log" >&2; die "configuring failed: see build/$preset/configure.log"; }
  fi
    NINJA_STATUS='  [%f/%t, %es] ' ninja -C "build/$preset" "$@"
}
