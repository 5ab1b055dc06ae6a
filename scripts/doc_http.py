"""The pages of the HTTP API, from its OpenAPI document: its routes, and the models that they take and answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from doc_text import attribute, page, table


def openapi() -> dict[str, Any]:
    """The OpenAPI document, made without a workspace."""
    return dict(attribute("calotype.app.server:openapi")())


def http_page() -> str:
    """Every route."""
    paths: dict[str, Any] = openapi()["paths"]
    intro = (
        "All addresses start at the server's root and speak JSON unless they say otherwise. Errors are "
        "`application/problem+json` with the fields of [Problem](http-models.md#problem); the codes are in "
        "[errors](errors.md). The same description for programs is [openapi.json](openapi.json), which a running "
        "server shows at `/api/v1/openapi.json`; a client can be generated from it.\n\n"
        "Limits hold before authentication. Address and headers have 65,536 bytes and 10 s; a body may not stop for "
        "20 s. JSON is nested up to 50 levels, its numbers are finite, its integers fit into 64 bits, and no text "
        "contains NUL."
    )
    routes = ((method, path) for path in sorted(paths) for method in sorted(paths[path]))
    return page("HTTP", intro, (_route(method, path, paths[path][method]) for method, path in routes))


def models_page() -> str:
    """Every model of a body or an answer."""
    models: dict[str, Any] = openapi()["components"]["schemas"]
    intro = (
        "The bodies that the routes of the [HTTP API](http.md) take, and the answers that they give. A field is always "
        "there unless it is optional, and an answer has no other fields."
    )
    return page("Models of the HTTP API", intro, (_model(name, models[name]) for name in sorted(models)))


def _route(method: str, path: str, operation: dict[str, Any]) -> str:
    parts = [f"## {method.upper()} {path}", operation["description"].strip()]
    rows = [
        (f"`{p['name']}`", p["in"], _type(p["schema"]), p.get("description", ""))
        for p in operation.get("parameters", [])
    ]
    if rows:
        parts.append(table(("parameter", "in", "type", "meaning"), rows))
    parts += [f"{label}: {content}" for label, content in _bodies(operation)]
    return "\n\n".join(parts)


def _bodies(operation: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if "requestBody" in operation:
        limit = operation["x-calotype-max-body-bytes"]
        yield "Body", f"{_contents(operation['requestBody'])}, up to {limit:,} bytes"
    for status, answer in operation["responses"].items():
        if status.startswith("2"):
            yield f"Answer {status}", _contents(answer)


def _contents(described: dict[str, Any]) -> str:
    """The model of a JSON body; the media types of anything else."""
    contents = described.get("content", {})
    if not contents:
        return "empty"
    if "application/json" in contents:
        return _type(contents["application/json"]["schema"])
    return " or ".join("any file" if kind == "*/*" else f"`{kind}`" for kind in contents)


def _model(name: str, schema: dict[str, Any]) -> str:
    required = schema.get("required", [])
    rows = [
        (f"`{field}`", _type(part) + ("" if field in required else ", optional"), part.get("description", ""))
        for field, part in schema.get("properties", {}).items()
    ]
    return "\n\n".join(
        [f"## {name}", schema.get("description", ""), table(("field", "type", "meaning"), rows)]
    )


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](http-models.md#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_type(choice) for choice in schema["anyOf"]))
    words = schema.get("enum", [schema["const"]] if "const" in schema else [])
    if words:
        return " or ".join(f"`{word!r}`".replace("'", '"') for word in words)
    if schema.get("type") == "array":
        pair = schema.get("prefixItems")
        return (
            f"list of {len(pair)} {_type(pair[0])}" if pair else f"list of {_type(schema.get('items', {}))}"
        )
    if schema.get("type") == "object":
        values = schema.get("additionalProperties")
        return f"map to {_type(values)}" if isinstance(values, dict) and values else "object"
    return str(schema.get("format") or schema.get("type", "any"))
