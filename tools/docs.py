#!/usr/bin/env python3
"""Makes the reference pages from the program itself, and checks every link of the documents.

usage: docs.py ALPHASWARM [--check]     --check: fail where a page is not what would be written
"""
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
DOCS = ROOT / "alphaswarm_docs"
COMMANDS = [[], ["up"], ["api"], ["worker"], ["exchange"], ["collector"], ["paper", "run"], ["backtest", "run"],
            ["ingest"], ["trace", "list"], ["trace", "get"], ["trace", "tree"], ["doctor"],
            ["settings"], ["version"]]


def run(binary: str, *arguments: str) -> str:
    clean = {"PATH": os.environ.get("PATH", ""), "HOME": "/nonexistent"}
    done = subprocess.run([binary, *arguments], capture_output=True, text=True, env=clean, cwd=DOCS, check=True)
    return done.stdout


def settings_page(binary: str) -> str:
    return ("# Settings\n\nMade by `tools/docs.py` from the program; do not edit. Values come from the process environment, "
            "else from `.env`,\nelse the default. A variable that is set to nothing counts as unset. "
            "`alphaswarm settings` shows what is in force and where it\ncomes from.\n\n"
            + run(binary, "settings", "--markdown"))


def cli_page(binary: str) -> str:
    text = "# Command line\n\nMade by `tools/docs.py` from the program; do not edit.\n"
    for command in COMMANDS:
        title = " ".join(["alphaswarm", *command])
        text += f"\n## {title}\n\n```text\n{run(binary, *command, '--help').strip()}\n```\n"
    return text


def anchor(title: str) -> str:
    kept = re.sub(r"[^\w\- ]", "", title.strip().lower().replace("`", ""))
    return kept.replace(" ", "-")


def broken_links() -> list[str]:
    problems = []
    pages = []
    for folder, folders, files in os.walk(ROOT):  # not rglob: build/ may hold a whole root file system
        folders[:] = [name for name in folders if name not in ("build", "node_modules", "dist", ".git")]
        pages += [pathlib.Path(folder, name) for name in files if name.endswith(".md")]
    for page in pages:
        text = re.sub(r"```.*?```", "", page.read_text(), flags=re.S)
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if target.startswith(("http://", "https://", "mailto:")):
                continue
            path, _, fragment = target.partition("#")
            other = (page.parent / path).resolve() if path else page
            if not other.exists():
                problems.append(f"{page.relative_to(ROOT)}: {target} leads nowhere")
            elif fragment and other.suffix == ".md":
                titles = re.findall(r"^#+ (.+)$", other.read_text(), flags=re.M)
                if fragment not in {anchor(title) for title in titles}:
                    problems.append(f"{page.relative_to(ROOT)}: {target} has no such heading")
    return problems


def main() -> int:
    binary, check = str(pathlib.Path(sys.argv[1]).resolve()), "--check" in sys.argv
    problems = []
    for name, text in (("settings.md", settings_page(binary)), ("cli.md", cli_page(binary))):
        page = DOCS / name
        if not check:
            page.write_text(text)
        elif not page.exists() or page.read_text() != text:
            problems.append(f"alphaswarm_docs/{name} is out of date: run make docs")
    problems += broken_links()
    print("\n".join(problems) or "docs: up to date, every link leads somewhere")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
