#!/usr/bin/env python3
"""Metrics and logs reach a real OpenTelemetry Collector as they were sent.

usage: signals_to_collector.py SIGNALS_GENERATOR OTELCOL

For gRPC and HTTP, plain and gzip: what the Collector forwards is equal, message by message, to what
an independent decoder reads in the bytes we sent; and their values are those the generator measured.
"""
import http.server
import pathlib
import subprocess
import sys
import tempfile
import threading

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from support import free_ports, server, wait_until

COLLECTOR = """
receivers:
  otlp:
    protocols:
      grpc: {{endpoint: 127.0.0.1:{grpc}}}
      http: {{endpoint: 127.0.0.1:{http}}}
exporters:
  otlphttp: {{endpoint: "{sink}", compression: none}}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines:
    metrics: {{receivers: [otlp], exporters: [otlphttp]}}
    logs: {{receivers: [otlp], exporters: [otlphttp]}}
"""


class ProtobufSink:
    """Keeps the decoded requests, by path."""

    def __init__(self):
        kinds = {"/v1/metrics": ExportMetricsServiceRequest, "/v1/logs": ExportLogsServiceRequest}
        self.requests = {path: [] for path in kinds}
        sink = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                sink.requests[self.path].append(kinds[self.path].FromString(body))
                self.send_response(200)
                self.send_header("content-type", "application/x-protobuf")
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self):
        self._server.shutdown()


def plain(value):
    kind = value.WhichOneof("value")
    return [plain(each) for each in value.array_value.values] if kind == "array_value" else getattr(value, kind)


def attributes(holder) -> dict:
    found = {each.key: plain(each.value) for each in holder.attributes}
    assert len(found) == len(holder.attributes), "a key is there twice"
    return found


def check_metrics(request, trace: str, span: str) -> None:
    [resource] = request.resource_metrics
    assert attributes(resource.resource)["service.name"] == "interop"
    [scope] = resource.scope_metrics
    assert (scope.scope.name, scope.scope.version) == ("shop", "1.2")
    found = {each.name: each for each in scope.metrics}
    orders = found["orders"]
    assert (orders.unit, orders.description) == ("{order}", "Orders made")
    assert orders.sum.is_monotonic and orders.sum.aggregation_temporality == 2
    points = {point.as_int: attributes(point) for point in orders.sum.data_points}
    assert points == {3: {"venue": "sim", "live": False, "lot": 100, "price": 1.25},
                      4: {"text": "café \ufffd"}, 2**63 - 1: {}}, points
    for point in orders.sum.data_points:
        [exemplar] = point.exemplars
        assert exemplar.trace_id.hex() == trace and exemplar.span_id.hex() == span
        assert exemplar.as_int == point.as_int
        assert 0 < point.start_time_unix_nano <= exemplar.time_unix_nano <= point.time_unix_nano
    assert found["weight"].sum.data_points[0].as_double == 0.5
    assert found["open"].sum.data_points[0].as_int == -7 and not found["open"].sum.is_monotonic
    assert found["level"].gauge.data_points[0].as_int == -1
    assert str(found["ratio"].gauge.data_points[0].as_double) == "-0.0"
    assert attributes(found["arrays"].gauge.data_points[0]) == {"texts": ["x", "y"]}
    [point] = found["plain"].histogram.data_points
    assert (list(point.bucket_counts), list(point.explicit_bounds)) == ([2, 1, 1], [1, 10])
    assert (point.count, point.sum, point.min, point.max) == (4, 19.5, 0.5, 11)
    assert sorted(each.as_double for each in point.exemplars)[1:] == [7.0, 11.0]
    assert attributes(point) == {"kind": "a"}
    [point] = found["wide"].exponential_histogram.data_points
    assert (point.count, point.zero_count, point.min, point.max) == (5, 1, -3.0, 1e9)
    for side, values in ((point.positive, [1e-9, 2.0, 1e9]), (point.negative, [3.0])):
        filled = [side.offset + i for i, count in enumerate(side.bucket_counts) if count]
        assert sum(side.bucket_counts) == len(filled) == len(values)
        base = 2 ** 2 ** -point.scale
        for index, value in zip(filled, values):
            assert base ** index < value * (1 + 1e-9) and value <= base ** (index + 1) * (1 + 1e-9)


def check_logs(request, trace: str, span: str) -> None:
    [resource] = request.resource_logs
    assert attributes(resource.resource)["service.name"] == "interop"
    scopes = {each.scope.name: each for each in resource.scope_logs}
    assert set(scopes) == {"shop", "other"} and scopes["shop"].scope.version == "1.2"
    first, second = scopes["shop"].log_records
    assert (first.severity_number, first.severity_text) == (17, "err")
    assert first.body.string_value == "refused \ufffd"
    assert attributes(first) == {"venue": "again", "lot": 100}
    assert second.body.WhichOneof("value") == "string_value" and second.severity_number == 0
    assert scopes["other"].log_records[0].severity_number == 9
    for record in (first, second, scopes["other"].log_records[0]):
        assert record.trace_id.hex() == trace and record.span_id.hex() == span and record.flags & 1
        assert 0 < record.time_unix_nano <= record.observed_time_unix_nano


def check(generator: str, otelcol: str, protocol: str, compression: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        grpc, http_port = free_ports(2)
        sink = ProtobufSink()
        (folder / "otelcol.yaml").write_text(COLLECTOR.format(grpc=grpc, http=http_port, sink=sink.url))
        with server([otelcol, "--config", folder / "otelcol.yaml"], folder / "otelcol.log",
                    lambda text: "Everything is ready" in text):
            endpoint = f"http://127.0.0.1:{grpc if protocol == 'grpc' else http_port}"
            ran = subprocess.run([generator, folder, endpoint, protocol, compression], check=True, text=True,
                                 stdout=subprocess.PIPE, timeout=60)
            wait_until(lambda: all(sink.requests.values()), "the Collector forwarded nothing", 20)
        sink.close()
        trace, span = ran.stdout.split()
        for path, kind, verify in (("/v1/metrics", ExportMetricsServiceRequest, check_metrics),
                                   ("/v1/logs", ExportLogsServiceRequest, check_logs)):
            sent = kind.FromString((folder / (path[4:] + ".bin")).read_bytes())
            verify(sent, trace, span)
            [forwarded] = sink.requests[path]
            assert forwarded == sent, f"{path}: forwarded\n{forwarded}\nsent\n{sent}"
    print(f"{protocol} {compression}: metrics and logs equal field by field")


if __name__ == "__main__":
    for wire in ("grpc", "http/protobuf"):
        for packing in ("none", "gzip"):
            check(sys.argv[1], sys.argv[2], wire, packing)
