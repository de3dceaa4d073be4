#!/usr/bin/env python3
"""The systemd units, as far as they can be checked without systemd running: they verify, they are hardened, and
the program gets by with the system calls and the folders that they leave it.

usage: check_systemd.py ALPHASWARM MARKET_DATA
"""
import pathlib
import random
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
UNITS = sorted((ROOT / "alphaswarm_platform/deploy/systemd").glob("*.service"))
EXPOSURE = 20  # tenths; systemd calls anything below 2.0 "OK", and a unit without any of this scores 9.6
problems: list[str] = []


def run(*command: str, **more) -> subprocess.CompletedProcess:
    return subprocess.run(command, capture_output=True, text=True, **more)


def check_units(binary: str, folder: str) -> None:
    for unit in UNITS:
        text = unit.read_text()
        copy = pathlib.Path(folder, unit.name)
        copy.write_text(text.replace("/usr/bin/alphaswarm", binary))  # it is not installed here
        done = run("systemd-analyze", "verify", "--man=no", str(copy))
        if done.returncode or done.stderr.strip():
            problems.append(f"{unit.name}: {done.stderr.strip()}")
        done = run("systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE}", str(copy))
        if done.returncode:
            problems.append(f"{unit.name}: {done.stdout.strip().splitlines()[-1]}")
        command = re.search(r"^ExecStart=/usr/bin/alphaswarm (\w+)(.*)", text, flags=re.M)
        known = run(binary, command[1], "--help").stdout
        for option in re.findall(r"--[\w-]+", command[2]):
            if option not in known:
                problems.append(f"{unit.name}: alphaswarm {command[1]} has no {option}")


def allowed_calls() -> set[str]:
    """@system-service with the sets that it names."""
    sets: dict[str, list[str]] = {}
    name = ""
    for line in run("systemd-analyze", "syscall-filter").stdout.splitlines():
        if line.startswith("@"):
            name = line.strip()
            sets[name] = []
        elif line.startswith("    ") and not line.strip().startswith("#"):
            sets[name].append(line.strip())

    def expand(group: str) -> set[str]:
        return {call for one in sets[group] for call in (expand(one) if one.startswith("@") else {one})}

    return expand("@system-service")


def check_calls(binary: str, market_data: str, folder: str) -> None:
    """Every role in one process, for a whole session, under strace."""
    log = pathlib.Path(folder, "calls")
    offset = str(random.randrange(1, 40) * 1000)
    done = run("strace", "-f", "-qq", "-c", "-o", str(log), binary, "up", "--once", "--market-data", market_data,
               "--port-offset", offset, "--data-dir", f"{folder}/data", timeout=300, cwd=folder)
    if done.returncode:
        problems.append(f"alphaswarm up under strace: {done.stdout[-500:]}{done.stderr[-500:]}")
        return
    used = {line.split()[-1] for line in log.read_text().splitlines()[2:-2] if line.strip()}
    if len(used) < 30:
        problems.append(f"strace saw only {sorted(used)}")
    # strace sees the start of the program as systemd makes it, before the filter: execve is in the set anyway.
    for call in sorted(used - allowed_calls()):
        problems.append(f"the program makes the system call {call}, which the units do not allow")
    print(f"systemd: {len(UNITS)} units verify with exposure below {EXPOSURE / 10}, "
          f"{len(used)} system calls of all roles are allowed")


def main() -> int:
    binary = str(pathlib.Path(sys.argv[1]).resolve())
    with tempfile.TemporaryDirectory() as folder:
        check_units(binary, folder)
        check_calls(binary, str(pathlib.Path(sys.argv[2]).resolve()), folder)
    print("\n".join(problems), end="\n" if problems else "")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
