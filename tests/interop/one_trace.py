#!/usr/bin/env python3
"""One request through other people's software and ours is one trace in our store, parent by parent.

FastAPI → Celery → httpx → our API → our broker SDK → FastAPI → httpx → our exchange; the Python side is
instrumented by OpenTelemetry's own packages and exports by itself.

usage: one_trace.py ALPHASWARM PYTHON      (PYTHON has python_services/requirements.txt)
"""
import contextlib
import json
import pathlib
import sys
import tempfile
import urllib.request

from support import free_offset, free_ports, get, server, spans_of, wait_until

WANTED = """\
gateway POST /ask/{name} server
  gateway apply_async/desk.account producer
    desk run/desk.account consumer
      desk GET client
        alphaswarm-api GET /brokers/{venue}/account server
          alphaswarm-api broker.query_account internal
            alphaswarm-api GET client
              gateway GET /{path} server
                gateway GET client
                  alphaswarm-exchange GET /v2/account server
"""
KINDS = ("unspecified", "internal", "server", "client", "producer", "consumer")


def picture(spans: dict) -> str:
    """The path from the root down to the exchange's span, a line a span."""
    leaf = next(key for key, span in spans.items() if span["name"] == "GET /v2/account")
    path = [leaf]
    while spans[path[-1]]["parent"]:
        path.append(spans[path[-1]]["parent"])
    lines = []
    for depth, key in enumerate(reversed(path)):
        span = spans[key]
        name = span["name"].replace("{path:path}", "{path}")
        lines.append(f"{'  ' * depth}{span['service']} {name} {KINDS[span['kind']]}\n")
    return "".join(lines)


def check(alphaswarm: str, python: str) -> None:
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        offset = free_offset()
        redis, gateway, api, exchange = free_ports(4)
        otlp = f"http://127.0.0.1:{4318 + offset}"
        collector_url = f"http://127.0.0.1:{16686 + offset}"
        gateway_url = f"http://127.0.0.1:{gateway}"

        def start(name, arguments, ready, environment):
            return stack.enter_context(server(arguments, folder / f"{name}.log", ready, environment))

        ours = {"ALPHASWARM_OTEL_ENDPOINT": otlp, "ALPHASWARM_OTEL_PROTOCOL": "http/protobuf",
                "ALPHASWARM_EXCHANGE_URL": gateway_url}
        theirs = {"PYTHONPATH": str(pathlib.Path(__file__).parent), "OTEL_EXPORTER_OTLP_ENDPOINT": otlp,
                  "OTEL_BSP_SCHEDULE_DELAY": "100", "OTEL_SEMCONV_STABILITY_OPT_IN": "http",
                  "CELERY_REDIS_URL": f"redis://127.0.0.1:{redis}/0", "VENUE_URL": f"http://127.0.0.1:{exchange}",
                  "ALPHASWARM_API_URL": f"http://127.0.0.1:{api}"}
        start("redis", ["redis-server", "--port", redis, "--bind", "127.0.0.1", "--save", "", "--dir", folder],
              lambda text: "Ready to accept" in text, {})
        start("collector", [alphaswarm, "collector", "--port-offset", offset, "--data-dir", folder / "store"],
              lambda text: "ready" in text, {})
        start("exchange", [alphaswarm, "exchange", "--port", exchange, "--data-dir", folder / "exchange"],
              lambda text: "ready" in text, ours)
        start("api", [alphaswarm, "api", "--port", api, "--data-dir", folder / "api"],
              lambda text: "ready" in text, ours)
        start("desk", [python, "-m", "celery", "-A", "python_services.desk", "worker", "--pool", "solo",
                       "--loglevel", "info"], lambda text: "ready." in text,
              theirs | {"OTEL_SERVICE_NAME": "desk"})
        start("gateway", [python, "-m", "uvicorn", "python_services.gateway:app", "--port", gateway],
              lambda text: "startup complete" in text, theirs | {"OTEL_SERVICE_NAME": "gateway"})

        request = urllib.request.Request(f"{gateway_url}/ask/sim", b"", method="POST")
        with urllib.request.urlopen(request, timeout=40) as reply:
            assert "equity" in json.loads(reply.read())

        def whole() -> dict | None:
            search = json.loads(get(f"{collector_url}/api/traces?service=alphaswarm-exchange&limit=5"))["data"]
            for each in search:
                found = spans_of(json.loads(get(f"{collector_url}/api/v3/traces/{each['traceID']}"))
                                 ["result"]["resourceSpans"])
                names = [span["name"] for span in found.values()]
                if "POST /ask/{name}" in names and "GET /v2/account" in names:
                    return found
            return None

        wait_until(lambda: whole() is not None, "the trace did not arrive in one piece")
        # Spans end at different times in six processes; the last to arrive ends the wait.
        def complete() -> bool:
            spans = whole()
            return all(not span["parent"] or span["parent"] in spans for span in spans.values())
        wait_until(complete, "a parent is missing in the trace")
        seen = picture(whole())
        assert seen == WANTED, f"wanted\n{WANTED}\nseen\n{seen}"
        print(seen, end="")


if __name__ == "__main__":
    check(sys.argv[1], sys.argv[2])
