#!/usr/bin/env python3
"""Fails on any include that breaks the one rule of tools/layers.toml."""
import pathlib
import re
import sys
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]')


def main() -> int:
    rules = tomllib.loads((ROOT / "tools/layers.toml").read_text())
    modules, heavy = rules["modules"], rules["heavy"]
    problems = []
    files = [p for p in (ROOT / "alphaswarm").rglob("*") if p.suffix in {".hpp", ".cpp"}]
    for path in sorted(files):
        name = path.relative_to(ROOT).as_posix()
        module = name.split("/")[1]
        if module not in modules:
            problems.append(f"{name}: module '{module}' is not in tools/layers.toml")
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            found = INCLUDE.match(line)
            if not found:
                continue
            target = found.group(1)
            if target.startswith("alphaswarm/"):
                other = target.split("/")[1]
                if other != module and other not in modules[module]:
                    problems.append(f"{name}:{number}: {module} may not include {other} ({target})")
                if not (ROOT / target).exists():
                    problems.append(f"{name}:{number}: {target} does not exist")
            for prefix, places in heavy.items():
                if target.startswith(prefix) and not any(name.startswith(p) for p in places):
                    problems.append(f"{name}:{number}: {target} belongs only in {', '.join(places)}")
    for problem in problems:
        print(problem)
    print(f"layers: {len(files)} files, {len(problems)} broken rules")
    return 1 if problems or not files else 0


if __name__ == "__main__":
    sys.exit(main())
