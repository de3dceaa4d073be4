#!/usr/bin/env python3
"""A real Prometheus scrapes both of our metrics pages, and promtool finds nothing wrong with them.

usage: prometheus_scrapes.py ALPHASWARM   (needs Debian's prometheus)
"""
import json
import pathlib
import subprocess
import sys
import tempfile
import urllib.parse

from sdk_to_collector import session
from support import free_offset, free_ports, get, server, wait_until

CONFIG = """
global: {{scrape_interval: 1s}}
scrape_configs:
  - {{job_name: spans, static_configs: [{{targets: ["127.0.0.1:{spans}"]}}]}}
  - {{job_name: own, static_configs: [{{targets: ["127.0.0.1:{own}"]}}]}}
"""


def check_text(page: str, text: bytes) -> None:
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True)
    assert done.returncode == 0, f"{page}: promtool: {done.stderr.decode()}{done.stdout.decode()}"


def ask(prometheus: str, query: str) -> list:
    reply = json.loads(get(f"{prometheus}/api/v1/query?query={urllib.parse.quote(query)}"))
    return reply["data"]["result"]


def main() -> None:
    offset = free_offset()
    (port,) = free_ports(1)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "prometheus.yml").write_text(CONFIG.format(spans=8889 + offset, own=8888 + offset))
        with server([sys.argv[1], "up", "--no-demo", "--data-dir", folder / "data", "--port-offset", offset],
                    folder / "up.log", lambda text: "ready" in text):
            session(f"http://127.0.0.1:{8000 + offset}", folder)
            with server(["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/tsdb",
                         f"--web.listen-address=127.0.0.1:{port}"], folder / "prometheus.log",
                        lambda text: "Server is ready" in text):
                url = f"http://127.0.0.1:{port}"
                wait_until(lambda: len(ask(url, "up == 1")) == 2, "Prometheus could not scrape both pages")
                bars = 'traces_span_metrics_calls_total{span_name="paper.session.bar"}'
                wait_until(lambda: [r["value"][1] for r in ask(url, bars)] == ["150"],
                           lambda: f"not 150 bars: {ask(url, bars)}")
                quantile = ("histogram_quantile(0.99, sum by (le) (traces_span_metrics_duration_seconds_bucket"
                            '{span_name="paper.session.bar"}))')
                p99 = float(ask(url, quantile)[0]["value"][1])
                assert 0 < p99 < 10, p99
            for page in (8888, 8889):
                text = get(f"http://127.0.0.1:{page + offset}/metrics")
                assert len(text) > 500, f"{page} shows next to nothing"
                check_text(str(page), text)
    print(f"Prometheus scraped both pages: 150 bars, p99 {p99 * 1e6:.0f} µs; promtool found nothing")


if __name__ == "__main__":
    main()
