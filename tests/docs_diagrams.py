#!/usr/bin/env python3
"""Every Mermaid diagram of the documents is drawn by mermaid itself, in headless Chromium.

usage: docs_diagrams.py FOLDER     where mermaid is kept; npm is in the PATH
"""
import html
import json
import pathlib
import re
import subprocess
import sys
import tarfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tools"))
from docs import ROOT, pages  # noqa: E402

VERSION = "11.4.1"
PAGE = """<!doctype html><body><pre id=result>waiting</pre><script src=mermaid.min.js></script><script>
const diagrams = %s;
(async () => {
  mermaid.initialize({startOnLoad: false});
  const bad = [];
  for (const [index, [where, text]] of diagrams.entries()) {
    try { await mermaid.parse(text); await mermaid.render("d" + index, text); }
    catch (error) { bad.push(where + ": " + error.message); }
  }
  document.getElementById("result").textContent = bad.length ? bad.join("\\n") : "all drawn";
})();
</script>"""


def main() -> int:
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    script = folder / "mermaid.min.js"
    if not script.exists():
        # The package alone: its browser build has everything in it.
        subprocess.run(["npm", "pack", "--silent", "--pack-destination", folder.resolve(), f"mermaid@{VERSION}"], check=True,
                       stdout=subprocess.DEVNULL)
        with tarfile.open(folder / f"mermaid-{VERSION}.tgz") as package:
            script.write_bytes(package.extractfile("package/dist/mermaid.min.js").read())
    diagrams = []
    for page in pages():
        text = page.read_text()
        for match in re.finditer(r"^```mermaid\n(.*?)^```$", text, flags=re.S | re.M):
            diagrams.append((f"{page.relative_to(ROOT)}:{text[:match.start()].count(chr(10)) + 1}", match[1]))
    (folder / "diagrams.html").write_text(PAGE % json.dumps(diagrams).replace("</", "<\\/"))
    done = subprocess.run(["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=60000", "--dump-dom",
                           f"file://{(folder / 'diagrams.html').resolve()}"], capture_output=True, text=True, timeout=180)
    found = re.search(r"<pre id=\"?result\"?>(.*?)</pre>", done.stdout, flags=re.S)
    result = html.unescape(found[1]) if found else done.stderr[-2000:]
    print(f"docs: {len(diagrams)} diagrams, {result}")
    return 0 if result == "all drawn" else 1


if __name__ == "__main__":
    sys.exit(main())
