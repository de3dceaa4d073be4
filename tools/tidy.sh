#!/usr/bin/env bash
# make tidy: clang-tidy over the sources of the release build. Arguments: files (default: all).
. "$(dirname "$0")/setup/lib.sh"
missing=$(missing_packages tools/setup/build-packages.txt)
[ -z "$missing" ] || install_packages $missing clang-tidy-19
[ -f build/release/compile_commands.json ] || build_preset release alphaswarm
files=("$@")
[ ${#files[@]} -gt 0 ] || mapfile -t files < <(git ls-files 'alphaswarm/*.cpp' | grep -v _test.cpp)
printf '%s\n' "${files[@]}" | xargs -P "$(nproc)" -n 1 clang-tidy-19 -p build/release --quiet
