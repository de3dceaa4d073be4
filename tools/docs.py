#!/usr/bin/env python3
"""Makes what the documents take from the program and from the examples, and checks every link.

usage: docs.py ALPHASWARM [--check]     --check: fail where a page is not what would be written

Whole pages: settings.md, cli.md, api.md, adr/README.md. Within the others, what follows these marks:
  <!-- snippet: FILE#NAME -->        a block of code: the lines of FILE between `[NAME]` and `[/NAME]` in comments
  <!-- settings: NAME NAME… -->      a table of these settings
"""
import os
import pathlib
import re
import subprocess
import sys
import textwrap

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import api_page  # noqa: E402
from api_page import anchor  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent
DOCS = ROOT / "alphaswarm_docs"
CLEAN = {"PATH": os.environ.get("PATH", ""), "HOME": "/nonexistent"}


def run(binary: str, *arguments: str) -> str:
    return subprocess.run([binary, *arguments], capture_output=True, text=True, env=CLEAN, cwd=DOCS, check=True).stdout


def settings_page(binary: str) -> str:
    return ("# Settings\n\nMade by `tools/docs.py` from the program; do not edit. Values come from the process environment, "
            "else from `.env`,\nelse the default. A variable that is set to nothing counts as unset. "
            "`alphaswarm settings` shows what is in force and where it\ncomes from.\n\n"
            + run(binary, "settings", "--markdown"))


def commands(binary: str) -> dict[str, str]:
    """Every command and its help, found by following the lists of subcommands."""
    found, waiting = {}, [[]]
    for command in waiting:
        text = run(binary, *command, "--help").strip()
        found[" ".join(["alphaswarm", *command])] = text
        waiting += [[*command, word] for word in re.findall(r"^  (\w+)", text.partition("Subcommands:\n")[2], flags=re.M)]
    return found


def cli_page(binary: str) -> str:
    text = "# Command line\n\nMade by `tools/docs.py` from the program; do not edit.\n"
    for title, help_text in sorted(commands(binary).items()):
        text += f"\n## {title}\n\n```text\n{help_text}\n```\n"
    return text


def decisions_page() -> str:
    text = ("# Decisions\n\nMade by `tools/docs.py` from the headings; do not edit. Each page says what was asked, what was decided "
            "and why, and what it costs.\n\n| decision | asked |\n|---|---|\n")
    for page in sorted((DOCS / "adr").glob("0*.md")):
        content = page.read_text()
        question = re.search(r"\*\*Question\.\*\* (.*?)\n\n", content, flags=re.S)
        text += f"| [{content.splitlines()[0].lstrip('# ')}]({page.name}) | {' '.join(question[1].split())} |\n"
    return text


def snippet(name: str) -> str:
    path, _, region = name.partition("#")
    found = re.search(rf"^ *(?://|#) \[{region}\]\n(.*?)^ *(?://|#) \[/{region}\]\n", (ROOT / path).read_text(), flags=re.S | re.M)
    if not found:
        raise SystemExit(f"{path} has no region [{region}]")
    language = "cpp" if path.endswith(".cpp") else "cmake"
    return f"```{language}\n{textwrap.dedent(found[1])}```\n"


def settings_table(names: list[str], listing: str) -> str:
    rows = {row.split("`")[1]: row for row in listing.splitlines() if row.startswith("| `")}
    return "| variable | default | meaning |\n|---|---|---|\n" + "".join(rows[name] + "\n" for name in names)


def with_parts(text: str, listing: str) -> str:
    text = re.sub(r"(<!-- snippet: (\S+) -->\n)(?:```(?:cpp|cmake)\n.*?^```\n)?",
                  lambda m: m[1] + snippet(m[2]), text, flags=re.S | re.M)
    return re.sub(r"(<!-- settings: ([^>]+?) -->\n)(?:\|[^\n]*\n)*",
                  lambda m: m[1] + settings_table(m[2].split(), listing), text)


def pages() -> list[pathlib.Path]:
    found = []
    for folder, folders, files in os.walk(ROOT):  # not rglob: build/ may hold a whole root file system
        folders[:] = [name for name in folders if name not in ("build", "node_modules", "dist", ".git", "data")]
        found += [pathlib.Path(folder, name) for name in files if name.endswith(".md")]
    return sorted(found)


def anchors(page: pathlib.Path) -> set[str]:
    """A heading's anchor; the second one of the same name has -1 behind it, and so on."""
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.S)
    found: set[str] = set()
    for title in re.findall(r"^#+ (.+)$", text, flags=re.M):
        plain = anchor(re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title))
        name, count = plain, 0
        while name in found:
            count += 1
            name = f"{plain}-{count}"
        found.add(name)
    return found


def broken_links(page: pathlib.Path) -> list[str]:
    problems = []
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`\n]*`", "", text)):
        if target.startswith(("http://", "https://", "mailto:")):
            continue
        path, _, fragment = target.partition("#")
        other = (page.parent / path).resolve() if path else page
        if not other.exists():
            problems.append(f"{page.relative_to(ROOT)}: {target} leads nowhere")
        elif fragment and other.suffix == ".md" and fragment not in anchors(other):
            problems.append(f"{page.relative_to(ROOT)}: {target} has no such heading")
    return problems


def unreachable() -> list[str]:
    """Pages of the documentation that no link leads to from its map."""
    seen, waiting = set(), [DOCS / "index.md"]
    while waiting:
        page = waiting.pop()
        if page in seen:
            continue
        seen.add(page)
        for target in re.findall(r"\]\(([^)#\s]+\.md)", page.read_text()):
            other = (page.parent / target).resolve()
            if other.exists():
                waiting.append(other)
    return [f"{page.relative_to(ROOT)}: index.md does not lead to it" for page in pages()
            if DOCS in page.parents and page not in seen]


def main() -> int:
    binary, check = str(pathlib.Path(sys.argv[1]).resolve()), "--check" in sys.argv
    problems = []
    listing = settings_page(binary)
    wanted = {DOCS / "settings.md": listing, DOCS / "cli.md": cli_page(binary), DOCS / "adr/README.md": decisions_page(),
              DOCS / "api.md": api_page.page(binary, CLEAN)}
    for page in pages():
        if page not in wanted:
            wanted[page] = with_parts(page.read_text(), listing)
    for page, text in wanted.items():
        if not check:
            page.write_text(text)
        elif not page.exists() or page.read_text() != text:
            problems.append(f"{page.relative_to(ROOT)} is out of date: run make docs")
    for page in pages():
        problems += broken_links(page)
    problems += unreachable()
    print("\n".join(problems) or f"docs: {len(pages())} pages, up to date, every link and anchor leads somewhere")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
