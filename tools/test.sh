#!/usr/bin/env bash
# make test: every test, with its own set-up. Prints the seconds of each stage.
#   tools/test.sh [STAGE…]   only these stages (see `stages` below)
. "$(dirname "$0")/setup/lib.sh"

# Sanitizer builds cover the modules where they pay: memory errors anywhere a byte is decoded or a
# lifetime is shared; data races where threads meet.
asan_tests='base_test config_test otlp_test observability_test net_test persistence_test instrumentation_test tasks_test trading_test tracestore_test query_test collector_test api_test cli_test'
tsan_tests='observability_test net_test instrumentation_test tasks_test tracestore_test collector_test'

stages='setup release tests deploy docs interop web no-otel package gcc-sdk asan tsan'
[ $# -gt 0 ] && stages=$*

summary=''
run_stage() {
  local begin=$SECONDS
  printf '\n== %s\n' "$1"
  "stage_${1//-/_}"
  summary+=$(printf '%-10s %5d s' "$1" $((SECONDS - begin)))$'\n'
}

targets_of() {  # the wanted test binaries that this build knows
  local name
  for name in $2; do
    ninja -C "build/$1" -t query "$name" >/dev/null 2>&1 && printf '%s ' "$name"
  done
}

build_and_run() {  # PRESET TESTS: only these test binaries
  mkdir -p "build/$1"
  cmake --preset "$1" >"build/$1.configure.log" 2>&1 || { tail -30 "build/$1.configure.log"; return 1; }
  local targets
  targets=$(targets_of "$1" "$2")
  build_preset "$1" $targets
  ctest --test-dir "build/$1" --output-on-failure --no-tests=error -R "^($(tr ' ' '|' <<<"${targets% }"))\$"
}

stage_setup() {
  local missing
  missing=$(missing_packages tools/setup/build-packages.txt tools/setup/test-packages.txt)
  [ -z "$missing" ] || install_packages $missing
  tools/setup/webui.sh
  tools/setup/datasets.sh
}
stage_release() { build_preset release; }
stage_tests() { ctest --test-dir build/release --output-on-failure --no-tests=error; }

python_environment() {  # FOLDER REQUIREMENTS: made anew when the requirements have changed
  cmp -s "$2" "$1/requirements.txt" && return
  rm -rf "$1"
  /usr/bin/python3 -m venv "$1"
  "$1/bin/pip" install --quiet --disable-pip-version-check -r "$2"
  cp "$2" "$1/requirements.txt"
}

stage_deploy() { tools/deploy_test.sh build/release/bin/alphaswarm; }
stage_docs() { tools/docs_test.sh build/release/bin/alphaswarm; }
stage_package() {  # library and program without tracing are there after the stage no-otel
  local untraced=''
  [ ! -x build/no-otel/bin/alphaswarm ] || untraced=build/no-otel
  tools/package_test.sh build/release $untraced
}
stage_interop() {
  python_environment build/interop-venv tests/interop/requirements.txt
  local binary=$root/build/release/bin/alphaswarm
  [ -f build/celery-venv/complete ] || {
    /usr/bin/python3 -m venv build/celery-venv
    build/celery-venv/bin/pip install --quiet --disable-pip-version-check -r tests/interop/celery-requirements.txt
    touch build/celery-venv/complete
  }
  build/celery-venv/bin/python tests/interop/celery_both_ways.py build/release/bin/celery_peer
  build/celery-venv/bin/python tests/interop/celery_control.py build/release/bin/celery_peer
  build/celery-venv/bin/python tests/interop/celery_canvas.py build/release/bin/celery_peer
  build/celery-venv/bin/python tests/interop/celery_api.py "$binary"
  build/celery-venv/bin/python tests/interop/celery_load.py build/release/bin/celery_peer
  python_environment build/celery-oldest-venv tests/interop/celery-oldest-requirements.txt
  build/celery-oldest-venv/bin/python tests/interop/celery_oldest.py build/release/bin/celery_peer
  build/interop-venv/bin/python tests/interop/prometheus_scrapes.py "$binary"
  build/interop-venv/bin/python tests/interop/otel_python_to_us.py "$binary"
  python_environment build/alpaca-venv tests/interop/alpaca-requirements.txt
  build/alpaca-venv/bin/python tests/interop/alpaca_py.py "$binary"
  python_environment build/services-venv tests/interop/python_services/requirements.txt
  build/interop-venv/bin/python tests/interop/one_trace.py "$binary" "$root/build/services-venv/bin/python"
  build/interop-venv/bin/python tests/interop/wire_property.py build/release/bin/wire_generator
  if command -v go >/dev/null; then
    tools/interop/otelcol.sh
    build/interop-venv/bin/python tests/interop/sdk_to_collector.py "$binary" "$root/build/interop/otelcol"
    build/interop-venv/bin/python tests/interop/signals_to_collector.py build/release/bin/signals_generator "$root/build/interop/otelcol"
    build/interop-venv/bin/python tests/interop/services_to_collector.py "$binary" "$root/build/interop/otelcol"
    build/interop-venv/bin/python tests/interop/deployed_signals.py "$binary" "$root/build/interop/otelcol"
    build/interop-venv/bin/python tests/interop/same_config.py "$binary" "$root/build/interop/otelcol" \
      alphaswarm_platform/deploy/otel/otel-collector-config.yaml
  else
    say "skipped: comparing with a real OpenTelemetry Collector needs Go"
  fi
}
stage_web() {
  PATH="$(tools/setup/node.sh):$PATH"
  (cd webui && npm ci --no-audit --no-fund --loglevel=error && npm run --silent check && npm test --silent)
  tests/browser/run.sh build/release/bin/alphaswarm build/datasets
}
stage_no_otel() {  # the whole program: what does not know of spans comes from the other build, by ccache
  build_and_run no-otel 'observability_test net_test alphaswarm'
  ctest --test-dir build/no-otel --output-on-failure --no-tests=error -R '^without_tracing$'
}
# Headers, examples and the documents' code, as people with g++ 12 use them.
stage_gcc_sdk() {
  local use
  use=$(sed -n 's/^  *alphaswarm_example(\(\w*\) .*/example_\1/p' examples/CMakeLists.txt
    sed -n 's/^alphaswarm_snippet(\(\w*\) .*/snippet_\1/p' alphaswarm_docs/snippets/CMakeLists.txt)
  [ "$(wc -w <<<"$use")" -ge 12 ] || die "where are the examples and the documents' code?"
  build_and_run gcc-sdk "base_test config_test otlp_test observability_test snippet_quick_start $(tr '\n' ' ' <<<"$use")"
}
stage_asan() { build_and_run asan "$asan_tests"; }
stage_tsan() { build_and_run tsan "$tsan_tests"; }

for stage in $stages; do run_stage "$stage"; done
printf '\nseconds of each stage\n%s' "$summary"
