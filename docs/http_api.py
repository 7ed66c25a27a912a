"""The reference page of the HTTP API, made from its OpenAPI document."""

from collections.abc import Iterator, Sequence
from typing import Any

Schema = dict[str, Any]


def write_http_api() -> str:
    """Describe every address, its form and its answers, as the OpenAPI document does."""
    from melanoma_core.service.api import Api
    from melanoma_core.service.options import Options

    document = Api(Options()).inner.openapi()
    lines = [
        "# HTTP API",
        "",
        "[Read photographs from a program](../how-to/use-the-api.md) says how to start and use it.",
        "`GET /openapi.json` is this page for programs.",
    ]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            lines += ["", f"## {method.upper()} {path}", "", *_describe(operation)]
    lines += ["", "## Documents", ""]
    for name, schema in document["components"]["schemas"].items():
        lines += [f"### {name}", "", schema.get("description", ""), "", *_list_fields(schema), ""]
    return "\n".join(lines).rstrip()


def _describe(operation: Schema) -> Iterator[str]:
    yield f"{operation['summary']}. " + (
        "Needs a token." if operation.get("security") else "Needs no token."
    )
    if "requestBody" in operation:
        form = operation["requestBody"]["content"]["multipart/form-data"]["schema"]
        yield from ("", *_list_fields(form))
    rows = [
        (f"`{status}`", answer["description"], ", ".join(_name_documents(answer)))
        for status, answer in sorted(operation["responses"].items())
    ]
    yield from ("", *_write_table(("status", "meaning", "document"), rows))


def _name_documents(answer: Schema) -> Iterator[str]:
    for media_type, content in answer.get("content", {}).items():
        name = _name_type(content["schema"])
        yield f"{name} as `{media_type}`"


def _list_fields(schema: Schema) -> Iterator[str]:
    required = schema.get("required", [])
    rows = [
        (
            f"`{name}`" + ("" if name in required else ", optional"),
            _name_type(value),
            value.get("description", ""),
        )
        for name, value in schema.get("properties", {}).items()
    ]
    yield from _write_table(("name", "type", "meaning"), rows)


def _name_type(schema: Schema) -> str:
    """Return a type in words, as "number or null"."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(map(_name_type, schema["anyOf"]))
    if "const" in schema or "enum" in schema:
        values = schema.get("enum") or [schema["const"]]
        return ", ".join(f"`{str(value).lower() if value is False else value}`" for value in values)
    kind = "file" if schema.get("format") == "binary" else str(schema.get("type", "object"))
    if kind == "array":
        return f"list of {_name_type(schema['items'])}"
    has_limits = "minimum" in schema and "maximum" in schema
    return kind + (f" from {schema['minimum']:g} to {schema['maximum']:g}" if has_limits else "")


def _write_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"| {' | '.join('---' for _ in head)} |"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', '/') for cell in row)} |"
