#!/usr/bin/env python3
"""The deployed Collector shows the metrics that a service without a page of them sends, and takes its logs.

usage: deployed_signals.py ALPHASWARM OTELCOL

A real OpenTelemetry Collector runs with both files of deploy/otel, as compose and the manifests give them; `alphaswarm exchange`, with the
settings that it has there, sends to it.
"""
import pathlib
import sys
import tempfile

from support import free_ports, get, server, wait_until

DEPLOYED = pathlib.Path(__file__).resolve().parents[2] / "alphaswarm_platform/deploy/otel"
NAMES = (4317, 4318, 8888, 8889, 14317)


def main() -> None:
    alphaswarm, otelcol = sys.argv[1:3]
    ports = dict(zip(NAMES, free_ports(len(NAMES))))
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        command = [otelcol]
        for file in ("otel-collector-config.yaml", "signals.yaml"):
            text = (DEPLOYED / file).read_text()
            for port, free in ports.items():
                text = text.replace(f":{port}", f":{free}").replace(f"port: {port}", f"port: {free}")
            (folder / file).write_text(text)
            command.append(f"--config={folder / file}")
        settings = {"ALPHASWARM_OTEL_ENDPOINT": f"http://127.0.0.1:{ports[4317]}", "OTEL_METRICS_EXPORTER": "otlp",
                    "OTEL_LOGS_EXPORTER": "otlp", "OTEL_METRIC_EXPORT_INTERVAL": "300",
                    "ALPHASWARM_EXCHANGE_ADDRESS": f"127.0.0.1:{free_ports(1)[0]}"}
        with server(command, folder / "otelcol.log", lambda text: "Everything is ready" in text):
            with server([alphaswarm, "exchange", "--data-dir", folder / "data"], folder / "exchange.log",
                        lambda text: "ready" in text, settings):
                shown = lambda: [line for line in get(f"http://127.0.0.1:{ports[8889]}/metrics").decode().splitlines()
                                 if "alphaswarm-exchange" in line]
                wait_until(lambda: any(line.startswith("process_cpu_time") for line in shown()), "no metrics of the exchange", 30)
            # Its last line, on the way out, is a log record; the Collector's own log counts it.
            counted = lambda: '"log records": ' in (folder / "otelcol.log").read_text()
            wait_until(counted, "no log record came", 30)
    print("the deployed Collector shows the metrics of a service that serves none, and takes its logs")


if __name__ == "__main__":
    main()
