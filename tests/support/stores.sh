#!/usr/bin/env bash
# PostgreSQL and Redis on their usual ports, until SIGTERM: for the documents' blocks, in a network of their own.
# Database, user and password are those of the documents: alphaswarm, alphaswarm, SECRET.
set -euo pipefail
folder=$(mktemp -d)
programs=$(dirname "$(ls /usr/lib/postgresql/*/bin/initdb | sort -V | tail -1)")
server=()  # it refuses to run as root
if [ "$(id -u)" = 0 ]; then
  server=(setpriv "--reuid=postgres" "--regid=postgres" --clear-groups)
  chown postgres: "$folder"
fi
started=()
finish() {
  trap - TERM EXIT
  for pid in "${started[@]}"; do kill -INT "$pid" 2>/dev/null || true; done  # PostgreSQL: without waiting for its clients
  wait
  rm -rf "$folder"
}
trap finish TERM EXIT
cd "$folder"
echo SECRET >"$folder/password"
chmod 644 "$folder/password"
"${server[@]}" "$programs/initdb" -D "$folder/data" -U alphaswarm --pwfile="$folder/password" --auth=scram-sha-256 --no-sync \
  --no-locale --encoding=UTF8 --no-instructions >"$folder/initdb.log" || { cat "$folder/initdb.log"; exit 1; }
"${server[@]}" "$programs/postgres" -D "$folder/data" -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off \
  >"$folder/postgres.log" 2>&1 &
started+=($!)
redis-server --bind 127.0.0.1 --save '' --dir "$folder" >"$folder/redis.log" &
started+=($!)
for _ in $(seq 200); do
  PGPASSWORD=SECRET "$programs/createdb" -h 127.0.0.1 -U alphaswarm alphaswarm 2>"$folder/createdb.log" && break
  sleep 0.1
done
PGPASSWORD=SECRET "$programs/psql" -h 127.0.0.1 -U alphaswarm -qc '' || { cat "$folder"/*.log; exit 1; }
for _ in $(seq 200); do redis-cli ping >/dev/null 2>&1 && break; sleep 0.1; done
redis-cli ping >/dev/null || { cat "$folder/redis.log"; exit 1; }
echo serving
wait
