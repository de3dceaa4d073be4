#!/usr/bin/env bash
# Builds the OpenTelemetry Collector of otelcol-builder.yaml into build/interop/otelcol, once.
# Needs Go. About 200 CPU seconds.
. "$(dirname "$0")/../setup/lib.sh"
command -v go >/dev/null || die "building the OpenTelemetry Collector needs Go (not installed)"
stamp=build/interop/otelcol.stamp
if [ -x build/interop/otelcol ] && cmp -s tools/interop/otelcol-builder.yaml "$stamp"; then exit 0; fi
mkdir -p build/interop
GOBIN="$root/build/interop" go install go.opentelemetry.io/collector/cmd/builder@v0.155.0
build/interop/builder --config tools/interop/otelcol-builder.yaml >build/interop/otelcol.log 2>&1 ||
  { tail -20 build/interop/otelcol.log >&2; die "building the Collector failed: see build/interop/otelcol.log"; }
cp build/interop/otelcol-src/otelcol build/interop/otelcol
cp tools/interop/otelcol-builder.yaml "$stamp"
