#!/usr/bin/env bash
# make bench-sdk: builds the SDK alone with its benchmarks and measures it. Exits 1 if a number is
# short. Nothing else should run on the machine meanwhile.
. "$(dirname "$0")/setup/lib.sh"

mkdir -p build
cmake --preset release -B build/bench -DALPHASWARM_SDK_ONLY=ON -DALPHASWARM_TESTS=OFF -DALPHASWARM_BENCH=ON >build/bench.configure.log
ninja -C build/bench bench_sdk >build/bench.build.log || { tail -30 build/bench.build.log; exit 1; }
printf '# %s, %s, %s processors, load %s\n' "$(date -u +%FT%TZ)" "$(uname -sr)" "$(nproc)" "$(cut -d' ' -f1 /proc/loadavg)"
python3 bench/sdk/run.py build/bench
