#!/usr/bin/env python3
"""Checks where Docker Compose finds things, and who is given an account at a broker.

usage: check_compose.py ALPHASWARM FOLDER      the folder of deploy_test.sh: compose.yaml, accounts.yaml, compose-2
"""
import pathlib
import re
import subprocess
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent
ACCOUNTS = re.compile(r"ALPHASWARM_(ALPACA|TRADIER)_")
TRADING = {"api", "paper-trader"}  # who talks to brokers
problems: list[str] = []


def expect(condition: bool, message: str) -> None:
    if not condition:
        problems.append(message)


def services(path: pathlib.Path) -> dict:
    return yaml.safe_load(path.read_text())["services"]


def source_of(volume: object) -> str:
    return volume["source"] if isinstance(volume, dict) else str(volume).split(":")[0]


def check_paths(where: str, found: dict) -> None:
    """Images are built from the root, and what is mounted is there."""
    built = {name: pathlib.Path(one["build"]["context"]) for name, one in found.items() if "build" in one}
    expect(bool(built), f"{where}: builds nothing")
    for name, context in built.items():
        expect(context.resolve() == ROOT, f"{where} {name}: is built from {context}")
    mounted = [source_of(volume) for one in found.values() for volume in one.get("volumes", [])]
    paths = [source for source in mounted if source.startswith("/")]
    expect(bool(paths), f"{where}: mounts nothing")
    for path in paths:
        expect(pathlib.Path(path).exists(), f"{where}: {path} is not there")


def check_accounts(binary: str, folder: pathlib.Path) -> None:
    listing = subprocess.run([binary, "settings", "--markdown"], capture_output=True, text=True, check=True).stdout
    names = {name for name in re.findall(r"^\| `(\w+)`", listing, flags=re.M) if ACCOUNTS.match(name)}
    expect(bool(names), "the program knows no broker")
    for name, service in services(folder / "accounts.yaml").items():
        given = {key: value for key, value in service.get("environment", {}).items() if ACCOUNTS.match(key)}
        wanted = {key: f"value-of-{key}" for key in names} if name in TRADING else {}
        expect(given == wanted, f"compose {name}: is given the accounts {given}, not {wanted}")
    for name, service in services(folder / "compose.yaml").items():
        literal = {key: value for key, value in service.get("environment", {}).items() if ACCOUNTS.match(key) and value}
        expect(not literal, f"compose {name}: {literal} in the file itself")


def check_compose_2(folder: pathlib.Path) -> None:
    root, named = (yaml.safe_load((folder / f"{name}.yaml").read_text()) for name in ("root", "named"))
    expect(root["services"] == named["services"], "Docker Compose 2 reads the two files differently")
    check_paths("Docker Compose 2", named["services"])
    first = services(folder.parent / "compose.yaml")
    expect(set(first) <= set(root["services"]), "Docker Compose 2 misses services")
    for name, service in first.items():
        theirs = root["services"].get(name, {})
        same = {key: str(value) for key, value in service.get("environment", {}).items()}
        expect(same == theirs.get("environment", {}), f"compose {name}: another environment in Docker Compose 2")
        waits = {other: how["condition"] for other, how in theirs.get("depends_on", {}).items()}
        expect(waits == {other: how["condition"] for other, how in service.get("depends_on", {}).items()},
               f"compose {name}: waits for others in Docker Compose 2")


def main() -> int:
    binary, folder = str(pathlib.Path(sys.argv[1]).resolve()), pathlib.Path(sys.argv[2])
    check_paths("compose", services(folder / "compose.yaml"))
    check_accounts(binary, folder)
    if (folder / "compose-2").exists():
        check_compose_2(folder / "compose-2")
    print("\n".join(problems) or "compose: both files, by both programs, find the same; accounts only where they are used")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
