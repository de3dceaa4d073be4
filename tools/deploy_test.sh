#!/usr/bin/env bash
# Everything about the deployment that can be checked without a Docker engine or a cluster.
#   deploy_test.sh ALPHASWARM
. "$(dirname "$0")/setup/lib.sh"
binary=$1
out=build/deploy
deploy=alphaswarm_platform/deploy
mkdir -p $out
[ -f $out/venv/complete ] || {
  /usr/bin/python3 -m venv $out/venv
  $out/venv/bin/pip install --quiet --disable-pip-version-check kubernetes-validate==1.37.0 PyYAML
  touch $out/venv/complete
}
python=$out/venv/bin/python

# The file at the root and the one at its named place say the same, wherever one stands, to docker-compose 1.29 and to the
# library that Docker Compose 2 reads files with. Nobody's own settings get into it.
named=$deploy/compose/docker-compose.yml
: >$out/no.env
composed() { (cd "$1" && env -i PATH="$PATH" HOME="$HOME" "${@:3}" docker-compose --env-file "$root/$out/no.env" ${profile:-} -f "$2" config); }
composed . docker-compose.yml >$out/compose.yaml
composed / "$root/$named" | cmp - $out/compose.yaml || die "$named and docker-compose.yml differ"
profile='--profile embedded' composed . docker-compose.yml OTLP_HOST=embedded OTEL_METRICS_EXPORTER=none >$out/embedded.yaml
profile='--profile embedded' composed / "$root/$named" OTLP_HOST=embedded OTEL_METRICS_EXPORTER=none | cmp - $out/embedded.yaml ||
  die "$named and docker-compose.yml differ with a profile"
# With an account at each broker, of which each value is the variable's own name.
accounts=()
for name in $("$binary" settings --markdown | grep -oE '^\| `ALPHASWARM_(ALPACA|TRADIER)_\w+' | cut -d'`' -f2); do
  accounts+=("$name=value-of-$name")
done
composed . docker-compose.yml "${accounts[@]}" >$out/accounts.yaml
if command -v go >/dev/null; then
  # Its command is called `cmd`.
  [ -x $out/compose-2/cmd ] || GOBIN=$root/$out/compose-2 go install github.com/compose-spec/compose-go/v2/cmd@v2.4.5
  env -i PATH="$PATH" $out/compose-2/cmd docker-compose.yml >$out/compose-2/root.yaml
  (cd "$(dirname $named)" && env -i PATH="$PATH" "$root/$out/compose-2/cmd" docker-compose.yml) >$out/compose-2/named.yaml
else
  say "skipped: how Docker Compose 2 reads the files needs Go"
fi

# Debian's kubectl has a kustomize of its own, which is old.
kustomize="kubectl kustomize"
if command -v go >/dev/null; then
  [ -x $out/bin/kustomize ] || GOBIN=$root/$out/bin go install sigs.k8s.io/kustomize/kustomize/v5@v5.4.3
  kustomize="$out/bin/kustomize build"
fi
for overlay in dev prod; do
  $kustomize $deploy/k8s/overlays/$overlay >$out/$overlay.yaml
  $out/venv/bin/kubernetes-validate --kubernetes-version 1.29 --strict --quiet $out/$overlay.yaml
  say "overlay $overlay: $(grep -c '^kind:' $out/$overlay.yaml) objects fit the schemas of Kubernetes 1.29"
done
$python tools/check_deploy.py "$binary" $out/compose.yaml $out/embedded.yaml $out/dev.yaml $out/prod.yaml
$python tools/check_compose.py "$binary" $out
$python tools/check_systemd.py "$binary" build/datasets

# The images' build steps, in the Dockerfile's order and on top of what is built; then their content, alone in a root
# of its own.
grep -o 'image_build.sh [a-z]*' Dockerfile | cut -d' ' -f2 | tr '\n' ' ' | grep -qx 'packages compile stage ' ||
  die "the Dockerfile's steps are not packages, compile, stage"
tools/image_build.sh packages
tools/image_build.sh compile >/dev/null
rm -rf $out/stage
BINARY=$binary tools/image_build.sh stage $out/stage
if [ "$(id -u)" = 0 ]; then
  chroot $out/stage /usr/bin/alphaswarm version
  chroot $out/stage /usr/bin/alphaswarm settings >/dev/null
fi
say "image: $(du -sm $out/stage | cut -f1) MiB on top of the base"

# Each collector configuration starts in our own collector, and ends cleanly.
for file in $deploy/otel/otel-collector-config.yaml $deploy/otel/embedded.yaml; do
  folder=$(mktemp -d)
  port=$(PYTHONPATH=tests/interop "$python" -c 'from support import free_offset; print(free_offset())')
  "$binary" collector --config $file --port-offset "$port" --data-dir "$folder" >"$folder/log" 2>&1 &
  pid=$!
  for _ in $(seq 100); do grep -q '^ready' "$folder/log" && break; kill -0 $pid 2>/dev/null || break; sleep 0.1; done
  grep -q '^ready' "$folder/log" || { cat "$folder/log"; die "$file does not start"; }
  if [ "$(id -u)" = 0 ] && [ "$(basename $file)" = embedded.yaml ]; then
    # The image's program, with nothing but the image's libraries, sends a span by both protocols.
    for how in "grpc $((4317 + port))" "http/protobuf $((4318 + port))"; do
      ALPHASWARM_OTEL_PROTOCOL=${how% *} ALPHASWARM_OTEL_ENDPOINT=http://127.0.0.1:${how#* } \
        chroot $out/stage /usr/bin/alphaswarm doctor --data-dir /tmp --query http://127.0.0.1:$((16686 + port)) \
        --metrics http://127.0.0.1:1/metrics >"$folder/doctor" || { cat "$folder/doctor"; die "the image's program does not trace"; }
      say "image: traces by ${how% *}"
    done
  fi
  kill $pid
  wait $pid || die "$file does not end cleanly"
  rm -r "$folder"
  say "collector: $(basename $file) starts and stops"
done
