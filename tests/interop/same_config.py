#!/usr/bin/env python3
"""One configuration file, two collectors: ours and the OpenTelemetry Collector make the same of it.

usage: same_config.py ALPHASWARM OTELCOL CONFIG

Each runs with the file (ports moved to free ones, metrics flushed every second), takes the same spans and is asked for its
Prometheus text: the series of spanmetrics must have the same names, labels and counts.
"""
import pathlib
import re
import sys
import tempfile

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

from otel_python_to_us import make_spans
from support import free_ports, get, server, wait_until

SERIES = re.compile(r"^(\w+?)\{(.*)\} (\S+)", re.M)


def series(text: str) -> dict:
    """name and labels → value, of the counts: durations differ from run to run."""
    found = {}
    for name, labels, value in SERIES.findall(text):
        if not name.endswith(("calls_total", "duration_seconds_count")):
            continue
        pairs = dict(re.findall(r'(\w+)="([^"]*)"', labels))
        kept = {key: pairs[key] for key in ("service_name", "span_name", "span_kind", "status_code") if key in pairs}
        found[name, tuple(sorted(kept.items()))] = float(value)
    return found


def run(command, config: str, ports: dict, ready: str) -> dict:
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        config = config.replace("    exemplars:", "    metrics_flush_interval: 1s\n    exemplars:")
        for port, free in ports.items():
            config = config.replace(f":{port}", f":{free}").replace(f"port: {port}", f"port: {free}")
        (folder / "collector.yaml").write_text(config)
        arguments = [part.format(config=folder / "collector.yaml", data=folder / "data") for part in command]
        with server(arguments, folder / "log", lambda text: ready in text):
            make_spans(OTLPSpanExporter(endpoint=f"http://127.0.0.1:{ports[4318]}/v1/traces"), "same-config")
            page = f"http://127.0.0.1:{ports[8889]}/metrics"
            found = {}
            def counted() -> bool:
                try:
                    found.update(series(get(page).decode()))
                except OSError:
                    return False
                # The Collector shows a new series at 0 first.
                return len(found) >= 4 and all(value > 0 for value in found.values())
            wait_until(counted, lambda: f"{command[0]}: no series of the two spans within a minute: {found}", 75)
            return found


def main() -> None:
    alphaswarm, otelcol, path = sys.argv[1:4]
    config = pathlib.Path(path).read_text()
    names = (4317, 4318, 8888, 8889, 14317)
    ours = run([alphaswarm, "collector", "--config", "{config}", "--data-dir", "{data}", "--port-offset", "0"],
               config, dict(zip(names, free_ports(5))), "ready")
    theirs = run([otelcol, "--config", "{config}"], config, dict(zip(names, free_ports(5))), "Everything is ready")
    assert ours == theirs, f"ours:   {ours}\ntheirs: {theirs}"
    print(f"one configuration, two collectors: {len(ours)} series equal")


if __name__ == "__main__":
    main()
