#!/usr/bin/env bash
# The installed SDK serves a project outside of the tree: by CMake and by pkg-config, with the
# compiler it was built with and with g++.
#   install_test.sh BUILD_DIR SOURCE_DIR EXPECTED_OUTPUT COMPILER…
set -euo pipefail
build=$1 source=$2 expected=$3
shift 3
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cmake --install "$build" --component observability --prefix "$folder/prefix" >"$folder/install.log"
export PKG_CONFIG_PATH
PKG_CONFIG_PATH=$(dirname "$(find "$folder/prefix" -name alphaswarm-observability.pc)")
if grep -rn "$source" "$folder/prefix" --include='*.cmake' --include='*.pc'; then
  echo "the package names the tree it was built in" >&2
  exit 1
fi
cp "$source"/examples/external/* "$folder"
check() {
  local output
  output=$("$1")
  [ "$output" = "$expected" ] || { echo "$1 printed: $output" >&2; exit 1; }
}
for compiler in "$@"; do
  command -v "$compiler" >/dev/null || { echo "$compiler is not installed" >&2; exit 1; }
  out=$folder/$(basename "$compiler")
  cmake -S "$folder" -B "$out" -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_PREFIX_PATH="$folder/prefix" >"$out.log" 2>&1 &&
    cmake --build "$out" >>"$out.log" 2>&1 || { cat "$out.log" >&2; exit 1; }
  check "$out/external"
  "$compiler" -std=c++23 "$folder/main.cpp" -o "$out/by_pkg_config" \
    $(pkg-config --define-variable=prefix="$folder/prefix" --cflags --libs alphaswarm-observability)
  check "$out/by_pkg_config"
  echo "$compiler: by CMake and by pkg-config"
done

# The other name of the package, and a component that it does not have.
configure() {  # WHAT: in place of the example's find_package
  rm -rf "$folder/other"
  mkdir "$folder/other"
  cp "$source"/examples/external/main.cpp "$folder/other"
  sed "s/^find_package.*/find_package($1)/" "$source/examples/external/CMakeLists.txt" >"$folder/other/CMakeLists.txt"
  cmake -S "$folder/other" -B "$folder/other/build" -DCMAKE_PREFIX_PATH="$folder/prefix" >"$folder/other.log" 2>&1
}
for package in 'AlphaSwarmObservability 0.1 REQUIRED' 'AlphaSwarm REQUIRED'; do
  configure "$package" || { cat "$folder/other.log" >&2; exit 1; }
done
for package in 'AlphaSwarm REQUIRED COMPONENTS nothing' 'AlphaSwarm 0.9 REQUIRED'; do
  if configure "$package"; then echo "find_package($package) finds something" >&2; exit 1; fi
done
