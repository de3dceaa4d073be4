#!/usr/bin/env python3
"""What tracing costs the API: requests a second with tracing off, on, and at a sample ratio of 0.1.

Three API processes on the same data take the load in turn, one at a time, on core 0. wrk runs on core 0 too, so
that core 0 is what every round fills, and the collector has core 1 to itself: beside wrk it would slow the load
down and the figure would be about wrk. A request then takes t = (API's CPU + wrk's CPU), and what tracing adds
to t is the API's alone. It is set against the API's own CPU a request, as if the load came for nothing:

    cost = 1 - a / (a + t_mode - t_off)      a: CPU seconds of the untraced API a request

That is `…_cost`; `…_requests_lost` is what wrk counts, API and wrk sharing their core. A round measures all three
modes; "off" is that of the same round; the figure is the median over the rounds, of which many short ones tell
more than few long ones on a machine that changes its pace. Bounds: tracing on costs < 5 % of the requests a second
on the database route, < 8 % on /health (its usual exclusion switched off).

With --database the bars are put into that (empty) PostgreSQL database, else into a SQLite file. Keep its server off
core 0: the figures hold as long as API and wrk fill that core.

usage: tracing_cost.py ALPHASWARM AAPL_CSV [--rounds N] [--seconds S] [--database URL]
prints `<name> <value> <unit> must <op> <bound> ok|SHORT`; exit 1 if one is short
"""
import argparse
import contextlib
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests" / "interop"))
from support import free_offset, free_ports, get, server  # noqa: E402

ROUTES = {"health": ("/health", 8.0), "database": ("/data/AAPL.SIM/bars?limit=50", 5.0)}
MODES = {"off": {}, "on": {"ALPHASWARM_OTEL_SAMPLE_RATIO": "1.0"}, "ratio_0.1": {"ALPHASWARM_OTEL_SAMPLE_RATIO": "0.1"}}


def cpu_seconds(pid: int) -> float:
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def load(url: str, seconds: float) -> float:
    """Requests a second that were answered with 2xx; anything else is an error of this benchmark."""
    output = subprocess.run(["taskset", "-c", "0", "wrk", "-t1", "-c16", f"-d{seconds}s", url], check=True,
                            capture_output=True, text=True).stdout
    assert "Non-2xx" not in output and "Socket errors" not in output, output
    return float(re.search(r"Requests/sec:\s+([\d.]+)", output)[1])


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("alphaswarm", type=pathlib.Path)
    parser.add_argument("bars", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--seconds", type=int, default=1)
    parser.add_argument("--database", default="", help="postgresql://… (default: a SQLite file)")
    arguments = parser.parse_args()
    database = {"ALPHASWARM_DATABASE_URL": arguments.database} if arguments.database else {}
    alphaswarm = arguments.alphaswarm.resolve()
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        subprocess.run([alphaswarm, "ingest", arguments.bars.resolve(), "--symbol", "AAPL.SIM", "--data-dir", folder / "data"], check=True,
                       capture_output=True, cwd=folder, env=os.environ | database)
        offset = free_offset()
        collector = stack.enter_context(server(
            ["taskset", "-c", "1", alphaswarm, "collector", "--port-offset", offset, "--data-dir", folder / "store"],
            folder / "collector.log", lambda text: "ready" in text))
        urls, processes = {}, {}
        for mode, settings in MODES.items():
            port, = free_ports(1)
            tracing = settings | {"ALPHASWARM_OTEL_ENDPOINT": f"http://127.0.0.1:{4317 + offset}",
                                  "ALPHASWARM_OTEL_EXCLUDED_URLS": "^/nothing"} if settings else {}
            processes[mode] = stack.enter_context(server(
                ["taskset", "-c", "0", alphaswarm, "api", "--port", port, "--data-dir", folder / "data"],
                folder / f"{mode}.log", lambda text: "ready" in text, tracing | database))
            urls[mode] = f"http://127.0.0.1:{port}"
        short = False
        for route, (path, bound) in ROUTES.items():
            rates = {mode: [] for mode in MODES}
            api_cpu = {mode: 0.0 for mode in MODES}
            before = cpu_seconds(collector.pid)
            for mode in MODES:
                load(urls[mode] + path, 1)  # warm
            for number in range(arguments.rounds):
                # The order turns, so that no mode always follows the same one.
                names = list(MODES)
                for mode in names[number % 3:] + names[:number % 3]:
                    start = cpu_seconds(processes[mode].pid)
                    rates[mode].append(load(urls[mode] + path, arguments.seconds))
                    api_cpu[mode] += cpu_seconds(processes[mode].pid) - start
            for mode, each in rates.items():
                requests = sum(each) * arguments.seconds
                print(f"{route} {mode}: median {statistics.median(each):.0f} requests/s, "
                      f"{api_cpu[mode] / requests * 1e6:.2f} us of API CPU a request; rounds "
                      + " ".join(f"{rate:.0f}" for rate in each))
            print(f"{route} collector: {cpu_seconds(collector.pid) - before:.2f} CPU s in all")
            for mode in ("on", "ratio_0.1"):
                own = api_cpu["off"] / (sum(rates["off"]) * arguments.seconds)
                added = [1 / m - 1 / o for m, o in zip(rates[mode], rates["off"])]
                cost = 100 * statistics.median(1 - own / (own + each) for each in added)
                lost = 100 * statistics.median(1 - m / o for m, o in zip(rates[mode], rates["off"]))
                for name, value in (("requests_lost", lost), ("cost", cost)):
                    verdict = "" if mode != "on" else f" must < {bound} " + ("ok" if value < bound else "SHORT")
                    short |= verdict.endswith("SHORT")
                    print(f"{route}_tracing_{mode}_{name} {value:.1f} %{verdict}")
    return int(short)


if __name__ == "__main__":
    sys.exit(main())
