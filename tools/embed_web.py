#!/usr/bin/env python3
"""Writes the web pages as an assembly file and a table, for the binary to carry.

usage: embed_web.py DIST OUT_FOLDER
Each file under DIST becomes gzip-compressed bytes (kept plain where that is not smaller) and a
row of `embedded_files` in OUT_FOLDER/web_files.cpp. A missing DIST gives an empty table.
"""
import gzip
import pathlib
import sys

TYPES = {
    ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml", ".png": "image/png",
    ".woff2": "font/woff2", ".json": "application/json", ".ico": "image/x-icon",
    ".map": "application/json", ".txt": "text/plain; charset=utf-8",
}


def main() -> None:
    dist, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    # The build writes compressed copies and a list for other servers too: not for the binary.
    files = sorted((p for p in dist.rglob("*") if p.suffix in TYPES and p.name != "manifest.json"),
                   key=lambda p: p.relative_to(dist).as_posix()) if dist.is_dir() else []
    assembly, externs, rows = [".section .rodata\n"], [], []
    for number, path in enumerate(files):
        plain = path.read_bytes()
        packed = gzip.compress(plain, 9, mtime=0)
        encoding, data = ("gzip", packed) if len(packed) < len(plain) else ("", plain)
        blob = out / f"web_{number}.bin"
        if not blob.exists() or blob.read_bytes() != data:
            blob.write_bytes(data)
        assembly.append(f'.global web_file_{number}\n.balign 16\nweb_file_{number}:\n.incbin "{blob}"\n')
        externs.append(f"extern const char web_file_{number}[];")
        kind = TYPES.get(path.suffix, "application/octet-stream")
        name = path.relative_to(dist).as_posix()
        rows.append(f'    {{"/{name}", "{kind}", "{encoding}", {{web_file_{number}, {len(data)}}}}},')
    assembly.append('.section .note.GNU-stack,"",@progbits\n')
    (out / "web_files.S").write_text("".join(assembly))
    count = len(rows)
    table = "\n".join(rows) if rows else '    {"", "", "", {}},'
    (out / "web_files.cpp").write_text(
        '#include "alphaswarm/cli/embedded_pages.hpp"\n\nextern "C" {\n' + "\n".join(externs) +
        "\n}\n\nnamespace alphaswarm::cli {\n\n"
        "static constexpr EmbeddedFile kFiles[] = {\n" + table + "\n};\n\n"
        f"std::span<const EmbeddedFile> embedded_files() {{ return {{kFiles, {count}}}; }}\n\n"
        "}  // namespace alphaswarm::cli\n")


if __name__ == "__main__":
    main()
