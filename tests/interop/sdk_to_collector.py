#!/usr/bin/env python3
"""Spans of a paper session reach a real OpenTelemetry Collector as they reach our own store.

usage: sdk_to_collector.py ALPHASWARM OTELCOL

For gRPC and HTTP, plain and gzip: `alphaswarm up` sends to both, and what the Collector forwards is
compared with our store, span by span and field by field.
"""
import json
import math
import pathlib
import sys
import tempfile

from support import OtlpSink, free_offset, free_ports, get, post, server, spans_of, wait_until

COLLECTOR = """
receivers:
  otlp:
    protocols:
      grpc: {{endpoint: 127.0.0.1:{grpc}}}
      http: {{endpoint: 127.0.0.1:{http}}}
exporters:
  otlphttp: {{endpoint: "{sink}", encoding: json, compression: none}}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines:
    traces: {{receivers: [otlp], exporters: [otlphttp]}}
"""


def bars(path: pathlib.Path, count: int) -> None:
    rows, last = ["date,open,high,low,close,volume"], 100.0
    for day in range(count):
        close = 100 + 0.02 * day + 6 * math.sin(day / 9) + 2 * math.sin(day / 2.3)
        rows.append(f"{2000 + day // 336:04d}-{day // 28 % 12 + 1:02d}-{day % 28 + 1:02d},{last:.6f},"
                    f"{max(last, close) + .5:.6f},{min(last, close) - .5:.6f},{close:.6f},1000")
        last = close
    path.write_text("\n".join(rows) + "\n")


def session(api: str, folder: pathlib.Path) -> str:
    """Ingests, runs a session to its end, gives its trace id."""
    bars(folder / "test.csv", 150)
    post(f"{api}/data/ingest", {"path": str(folder / "test.csv"), "format": "csv"})
    wait_until(lambda: any(row["count"] == 150 for row in json.loads(get(f"{api}/data"))), "no bars")
    config = {"session": {"universe": ["TEST.LOCAL"]}, "brokerage": {"venue": "sim"},
              "strategy": {"name": "mean_reversion", "params": {"lookback": 20, "z_threshold": 1.5}}}
    _, headers = post(f"{api}/paper/start", {"config": config, "run_name": "interop"})
    def ended() -> bool:
        runs = json.loads(get(f"{api}/paper/runs"))
        return bool(runs) and runs[0]["status"] == "completed"
    wait_until(ended, "the session did not end")
    return headers["x-trace-id"]


def whole(spans: dict) -> bool:
    """The session has ended, which its task's span says, and no parent is missing."""
    return (any(span["name"].startswith("run/") for span in spans.values())
            and all(not span["parent"] or span["parent"] in spans for span in spans.values()))


def check(alphaswarm: str, otelcol: str, protocol: str, compression: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        grpc, http = free_ports(2)
        sink = OtlpSink()
        (folder / "otelcol.yaml").write_text(COLLECTOR.format(grpc=grpc, http=http, sink=sink.url))
        offset = free_offset()
        variables = {
            "ALPHASWARM_OTEL_ENDPOINT": f"http://127.0.0.1:{grpc if protocol == 'grpc' else http}",
            "ALPHASWARM_OTEL_PROTOCOL": protocol,
            "OTEL_EXPORTER_OTLP_COMPRESSION": compression,
        }
        with server([otelcol, "--config", folder / "otelcol.yaml"], folder / "otelcol.log",
                    lambda text: "Everything is ready" in text):
            with server([alphaswarm, "up", "--no-demo", "--data-dir", folder / "data", "--port-offset", offset],
                        folder / "up.log", lambda text: "ready" in text, variables):
                trace = session(f"http://127.0.0.1:{8000 + offset}", folder)
                url = f"http://127.0.0.1:{16686 + offset}/api/v3/traces/{trace}"
                ours, theirs = {}, {}
                def alike() -> bool:
                    try:
                        ours.update(spans_of(json.loads(get(url))["result"]["resourceSpans"]))
                    except OSError:  # not there yet
                        return False
                    theirs.update({key: span for key, span in spans_of(sink.resource_spans).items() if span["trace"] == trace})
                    return len(ours) > 500 and ours.keys() == theirs.keys() and whole(ours)
                wait_until(alike, lambda: f"{len(ours)} spans here, {len(theirs)} there")
        sink.close()
    for key, span in ours.items():
        assert span == theirs[key], f"differs:\n  {span}\n  {theirs[key]}"
    print(f"{protocol} {compression}: {len(ours)} spans equal field by field")


if __name__ == "__main__":
    for wire in ("grpc", "http/protobuf"):
        for packing in ("none", "gzip"):
            check(sys.argv[1], sys.argv[2], wire, packing)
