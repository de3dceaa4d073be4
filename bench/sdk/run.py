#!/usr/bin/env python3
"""The SDK's numbers against what is asked of them, one line each:
    <name> <value> <unit> must <op> <bound> ok|SHORT
Exits 1 if one is short. Usage: run.py BUILD_FOLDER

Every measuring program has a second thread from its start: a process without one gets non-atomic
reference counts and flatters itself."""

import os
import pathlib
import resource
import subprocess
import sys
import tempfile

root = pathlib.Path(__file__).resolve().parents[2]
programs = pathlib.Path(sys.argv[1]).resolve() / "bin"
short = []


def say(name, value, unit, op=None, bound=None):
    line = f"{name} {value:.3f} {unit}"
    if op is not None:
        good = value <= bound if op == "<=" else value >= bound
        if not good:
            short.append(name)
        line += f" must {op} {bound:g} {'ok' if good else 'SHORT'}"
    print(line, flush=True)


def run(program, *arguments):
    return subprocess.run([programs / program, *map(str, arguments)], check=True,
                          stdout=subprocess.PIPE, text=True).stdout


def numbers(what):
    return {name: float(value) for name, value, _ in map(str.split, run("sdk_numbers", what).splitlines())}


def hot():
    found = numbers("hot")
    void = found["floor_1"] > 50 or found["floor_full"] or found["dropped_in_hot_rows"]
    say("floor_1_thread", found["floor_1"], "ns", "<=", 50)
    if void:
        print("# the floor is above 50 ns, its ring was full or spans were dropped: this run is void")
    say("floor_2_threads", found["floor_2"], "ns")
    say("floor_ring_full", found["floor_full"], "pushes")
    say("dropped_in_hot_rows", found["dropped_in_hot_rows"], "spans")
    say("span_1_thread", found["span_1"], "ns")
    say("span_1_thread_to_floor", found["span_1"] / found["floor_1"], "x", "<=", 2.0)
    say("span_2_threads", found["span_2"], "ns")
    say("span_2_threads_to_floor", found["span_2"] / found["floor_2"], "x", "<=", 2.0)
    say("allocations", found["allocations"], "in_1M_spans", "<=", 0)
    say("unsampled_child_to_floor", found["child_unsampled"] / found["floor_1"], "x", "<=", 0.4)
    say("ratio_zero_to_floor", found["ratio_zero"] / found["floor_1"], "x", "<=", 0.4)
    say("flight_recorder_to_span", found["flight_recorder"] / found["span_1"], "x", "<=", 1.1)
    say("ten_attributes", found["ten_attributes"], "ns")
    say("ten_prepared_attributes", found["ten_prepared"], "ns")
    say("disabled_extra", found["disabled_extra"], "ns", "<=", 1)
    say("disabled_span_extra", found["disabled_span_extra"], "ns")
    say("dropped_at_full_speed", found["dropped_at_full_speed"], "%")


def export_cpu():
    with subprocess.Popen([programs / "sdk_receiver"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True) as receiver:
        endpoint = receiver.stdout.readline().strip()

        def cpu(*arguments):
            """User and system seconds of the whole process."""
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            out = run("export_load", endpoint, "grpc", *arguments)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, out

        loop, _ = cpu(1_000_000, "ticks", 100_000, "no-spans")
        plain, out = cpu(1_000_000, "ticks", 100_000)
        assert "exported 1000000 " in out, out
        zipped, out = cpu(1_000_000, "ticks", 100_000, "gzip")
        assert "exported 1000000 " in out, out
        say("cpu_pacing_loop", loop, "s")
        say("cpu_1M_spans_grpc", plain - loop, "s", "<=", 0.4)
        say("cpu_1M_spans_grpc_gzip", zipped - loop, "s")
        _, out = cpu(100_000, "even", 20_000)
        say("exporter_cpu_at_20k", float(out.split("exporter ")[1].split()[0]), "us/span", "<=", 1.5)
        receiver.stdin.close()


def memory():
    plain = min(int(run("resident_plain")) for _ in range(3))
    with_sdk = max(int(run("resident_sdk", "http://127.0.0.1:9")) for _ in range(3))
    say("resident_growth", (with_sdk - plain) / 1024, "MiB", "<=", 6)


def compile_time():
    compiler = os.environ.get("CXX", "clang++-19")
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder) / "include.cpp"
        source.write_text("#include <alphaswarm/observability/tracing.hpp>\n")
        took = []
        for _ in range(7):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run([compiler, "-std=c++23", "-O2", f"-I{root}", "-c", source, "-o", os.devnull],
                           check=True, cwd=folder, env={**os.environ, "CCACHE_DISABLE": "1"})
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            took.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        say("compile_tracing_hpp", sorted(took)[3], "s", "<=", 0.4)


def main():
    hot()
    paced = numbers("paced")
    say("paced_p99_to_median", paced["paced_p99_to_median"], "x")
    say("paced_p999_to_median", paced["paced_p999_to_median"], "x", "<=", 8)
    export_cpu()
    for name, value in numbers("drops").items():
        say(name, value, "spans", "<=", 0)
    say("metric_increment", float(run("metrics_bench").split()[1]), "ns", "<=", 15)
    say("lossless", numbers("lossless")["lossless"], "M_spans/s", ">=", 2)
    memory()
    compile_time()
    if short:
        print("# short: " + ", ".join(short))
    return 1 if short else 0


if __name__ == "__main__":
    sys.exit(main())
