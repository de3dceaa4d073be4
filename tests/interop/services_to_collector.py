#!/usr/bin/env python3
"""Metrics and logs of the services reach a real OpenTelemetry Collector; our own refuses them cleanly.

usage: services_to_collector.py ALPHASWARM OTELCOL

`alphaswarm up` over gRPC and `alphaswarm api` over HTTP engage the kill switch: the log line of that
carries, on the screen and in OTLP, the trace id that the reply named; the metrics have the health of
each service's spans, exact at the end, and the counters of the process.
"""
import pathlib
import re
import sys
import tempfile
import urllib.error

from signals_to_collector import COLLECTOR, ProtobufSink, attributes, plain
from support import free_offset, free_ports, get, post, server, wait_until


def records(sink) -> list:
    """(service, logger, body, trace id, span id, severity) of each log record."""
    found = []
    for request in sink.requests["/v1/logs"]:
        for resource in request.resource_logs:
            service = attributes(resource.resource)["service.name"]
            for scope in resource.scope_logs:
                for record in scope.log_records:
                    found.append((service, attributes(record)["log.logger"], plain(record.body),
                                  record.trace_id.hex(), record.span_id.hex(), record.severity_text))
    return found


def last_points(sink) -> dict:
    """(metric, its attributes) → the last value, of a histogram the count."""
    found = {}
    for request in sink.requests["/v1/metrics"]:
        for resource in request.resource_metrics:
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    kind = metric.WhichOneof("data")
                    for point in getattr(metric, kind).data_points:
                        key = (metric.name, *sorted(attributes(point).items()))
                        found[key] = point.count if kind == "histogram" else getattr(point, point.WhichOneof("value"))
    return found


def resources(sink) -> list:
    return ([attributes(each.resource) for request in sink.requests["/v1/metrics"] for each in request.resource_metrics] +
            [attributes(each.resource) for request in sink.requests["/v1/logs"] for each in request.resource_logs])


def engage(api: str) -> str:
    body, headers = post(f"{api}/portfolio/kill_switch", {"engage": True, "reason": "interop"})
    assert body["engaged"] is True
    return headers["x-trace-id"]


def arrived(trace_url: str) -> bool:
    try:
        return b"kill_switch.engage" in get(trace_url)
    except urllib.error.HTTPError as missing:
        assert missing.code == 404
        return False


def check(alphaswarm: str, otelcol: str, command: list, port: int, environment: dict, service: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        grpc, http_port = free_ports(2)
        sink = ProtobufSink()
        # Spans are sent there as well, and thrown away.
        pipeline = COLLECTOR.format(grpc=grpc, http=http_port, sink=sink.url).replace(
            "exporters:\n", "exporters:\n  debug: {verbosity: basic}\n", 1) + "    traces: {receivers: [otlp], exporters: [debug]}\n"
        (folder / "otelcol.yaml").write_text(pipeline)
        endpoint = f"http://127.0.0.1:{grpc if environment.get('ALPHASWARM_OTEL_PROTOCOL', 'grpc') == 'grpc' else http_port}"
        settings = {"ALPHASWARM_OTEL_ENDPOINT": endpoint, "OTEL_METRICS_EXPORTER": "otlp", "OTEL_LOGS_EXPORTER": "otlp",
                    "OTEL_METRIC_EXPORT_INTERVAL": "300", "ALPHASWARM_API_ADDRESS": "127.0.0.1:8000"} | environment
        with server([otelcol, "--config", folder / "otelcol.yaml"], folder / "otelcol.log",
                    lambda text: "Everything is ready" in text):
            log = folder / "service.log"
            with server([alphaswarm, *command, "--data-dir", folder / "data"], log, lambda text: "ready" in text, settings):
                trace = engage(f"http://127.0.0.1:{port}")
                wait_until(lambda: any("interop" in each[2] for each in records(sink)), "no log record came", 20)
                wait_until(lambda: last_points(sink).get(
                    ("alphaswarm.sdk.spans.ended", ("service.name", "alphaswarm-api")), 0) > 0, "no metrics came", 20)
            # The last export of a stopping process is complete.
            totals = re.search(r"alphaswarm-api started=(\d+) exported=(\d+) dropped=(\d+) open=0", log.read_text())
            assert totals, log.read_text()
            points = lambda: last_points(sink)
            wait_until(lambda: points()[("alphaswarm.sdk.spans.started", ("service.name", "alphaswarm-api"))] ==
                       int(totals[1]), f"the last metrics are not there: {totals[0]}", 20)
            wait_until(lambda: any("started=" in each[2] for each in records(sink)), "the last line did not come", 20)
        sink.close()
        [line] = [each for each in records(sink) if each[2] == "engaged: interop"]
        assert line[:2] == (service, "kill switch") and line[3] == trace and line[5] == "warning", line
        assert re.search(rf"kill switch: engaged: interop trace_id={trace} span_id={line[4]}\n", log.read_text())
        found = points()
        exported = found[("alphaswarm.sdk.spans.exported", ("service.name", "alphaswarm-api"))]
        assert exported == int(totals[2]) > 0, (exported, totals[0])
        assert found[("alphaswarm.sdk.export.calls", ("service.name", "alphaswarm-api"))] > 0
        assert found[("otel.sdk.exporter.operation.duration", ("service.name", "alphaswarm-api"))] > 0
        assert found[("process.cpu.time", ("cpu.mode", "user"))] > 0 and found[("process.memory.usage",)] > 1e6
        assert any(name.startswith("alphaswarm_spans_") for name, *_ in found)
        told = resources(sink)
        assert {each["service.name"] for each in told} == {service}
        assert len({each["service.instance.id"] for each in told}) == 1, "metrics and logs name different instances"
    print(f"{' '.join(command)}: metrics and logs arrived, with the ids of their spans")


def check_refusal(alphaswarm: str) -> None:
    """Our own collector takes spans only: each signal says so once, and the service runs on."""
    offset = free_offset()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        log = folder / "up.log"
        settings = {"OTEL_METRICS_EXPORTER": "otlp", "OTEL_LOGS_EXPORTER": "otlp", "OTEL_METRIC_EXPORT_INTERVAL": "100",
                    "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{4317 + offset}"}
        with server([alphaswarm, "up", "--no-demo", "--port-offset", offset, "--data-dir", folder / "data"], log,
                    lambda text: "running;" in text, settings) as process:
            refused = lambda signal: log.read_text().count(f"{signal}: cannot be exported")
            wait_until(lambda: refused("metrics") and refused("logs"), "nothing was refused", 20)
            trace = engage(f"http://127.0.0.1:{8000 + offset}")
            url = f"http://127.0.0.1:{16686 + offset}/api/traces/{trace}"
            wait_until(lambda: arrived(url), "the trace did not come", 20)
            assert process.poll() is None
        assert process.returncode == 0
        assert refused("metrics") == 1 and refused("logs") == 1, log.read_text()
        assert "gRPC status 12" in log.read_text()
    print("our own collector refuses metrics and logs, said once each, and spans go on")


if __name__ == "__main__":
    moved = free_offset()
    check(sys.argv[1], sys.argv[2], ["up", "--no-demo", "--port-offset", str(moved)], 8000 + moved, {}, "alphaswarm")
    [free] = free_ports(1)
    check(sys.argv[1], sys.argv[2], ["api"], free, {"ALPHASWARM_API_ADDRESS": f"127.0.0.1:{free}",
                                                   "ALPHASWARM_OTEL_PROTOCOL": "http/protobuf"}, "alphaswarm-api")
    check_refusal(sys.argv[1])
