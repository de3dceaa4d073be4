"""The reference page of the HTTP API, made from the program's own OpenAPI document."""
import json
import pathlib
import re
import socket
import subprocess
import tempfile
import textwrap
import urllib.request


def document(binary: str, environment: dict) -> dict:
    """What `alphaswarm api` serves at /openapi.json, started for that on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen([binary, "api", "--port", str(port), "--data-dir", folder], cwd=folder, env=environment,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        try:
            said = ""
            for line in process.stdout:
                said += line
                if line.startswith("ready"):
                    break
            else:
                raise SystemExit(f"the API does not start: {said}")
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/openapi.json", timeout=10) as reply:
                return json.load(reply)
        finally:
            process.terminate()
            process.wait(15)


def anchor(title: str) -> str:
    """As GitHub makes them: lower case, spaces as hyphens, other signs gone."""
    kept = re.sub(r"[^\w\- ]", "", title.strip().lower().replace("`", ""))
    return kept.replace(" ", "-")


def type_of(schema: dict) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        return f"[{name}](#{anchor(name)})"
    if "anyOf" in schema:
        return " or ".join(type_of(one) for one in schema["anyOf"])
    kinds = schema.get("type", "any")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    names = []
    for kind in kinds:
        if "enum" in schema and kind == "string":
            names.append(", ".join(f"`{value}`" for value in schema["enum"]))
        elif kind == "array":
            names.append(f"list of {type_of(schema['items'])}")
        elif kind == "object" and isinstance(schema.get("additionalProperties"), dict):
            names.append(f"object of {type_of(schema['additionalProperties'])}")
        else:
            names.append("time" if schema.get("format") == "date-time" and kind == "string" else kind)
    return " or ".join(names)


def body_type(body: dict) -> str:
    media, content = next(iter(body["content"].items()))
    return type_of(content["schema"]) if media == "application/json" else f"`{media}`"


def operation_text(method: str, path: str, operation: dict) -> str:
    text = f"\n### {method.upper()} {path}\n\n{operation['summary']}."
    if "description" in operation:
        text += " " + re.sub(r"Each message is an? (\w+)", lambda m: f"Each message is a [{m[1]}](#{anchor(m[1])})",
                             operation["description"])
    text += "\n"
    if operation["parameters"]:
        text += "\n| parameter | in | type | meaning |\n|---|---|---|---|\n"
        for one in operation["parameters"]:
            text += f"| `{one['name']}` | {one['in']} | {type_of(one['schema'])} | {one.get('description', '')} |\n"
    if "requestBody" in operation:
        text += f"\nBody: {body_type(operation['requestBody'])}.\n"
    text += "\n| answer | body | |\n|---|---|---|\n"
    for status, response in sorted(operation["responses"].items()):
        body = body_type(response) if "content" in response else ""
        text += f"| {status} | {body} | {response['description']} |\n"
    return text


def schema_text(name: str, schema: dict) -> str:
    text = f"\n### {name}\n\n{schema.get('description', '')}\n\n| field | type | meaning |\n|---|---|---|\n"
    required = schema.get("required", [])
    for field, one in schema.get("properties", {}).items():
        optional = "" if field in required else " (optional)"
        text += f"| `{field}` | {type_of(one)}{optional} | {one.get('description', '')} |\n"
    return text


def page(binary: str, environment: dict) -> str:
    api = document(binary, environment)
    text = ("# HTTP API\n\nMade by `tools/docs.py` from the OpenAPI document that the service itself serves at `/openapi.json`; do "
            f"not edit.\nA running service shows the same at `/docs`.\n\n{textwrap.fill(api['info']['description'], 130)}\n")
    operations = [(method, path, one) for path, methods in api["paths"].items() for method, one in methods.items()]
    text += "\n| route | what it does |\n|---|---|\n"
    for method, path, one in operations:
        title = f"{method.upper()} {path}"
        text += f"| [`{title}`](#{anchor(title)}) | {one['summary']} |\n"
    for tag in [tag["name"] for tag in api["tags"]]:
        text += f"\n## {tag.capitalize()}\n"
        for method, path, one in operations:
            if tag in one["tags"]:
                text += operation_text(method, path, one)
    text += "\n## Schemas\n"
    for name, schema in api["components"]["schemas"].items():
        text += schema_text(name, schema)
    return text


if __name__ == "__main__":
    import os
    import sys
    print(page(str(pathlib.Path(sys.argv[1]).resolve()), {"PATH": os.environ["PATH"]}))
