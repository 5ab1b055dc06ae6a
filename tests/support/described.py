"""Holds the answers of the HTTP API against its OpenAPI document, so that a stale response model fails a test."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any, TypeVar

import httpx2 as httpx
import jsonschema  # type: ignore[import-untyped]

from calotype.app import server

Client = TypeVar("Client", bound=httpx.Client)
FREE_FORM = {
    "AuditEvent.details": "each verb has its own",
    "CheckSummary.parameters": "each check has its own",
    "CheckSummary.reference": "each check has its own",
    "Finding.facts": "each check has its own",
    "TrackedFinding.facts": "each check has its own",
    "FindingHistory.facts": "each check has its own",
    "ListedFinding.facts": "each check has its own",
    "FullAnnotation.attributes": "as the source gives them",
    "WorkAnnotation.attributes": "as people set them",
    "ClassAttribute.default": "of the type of the attribute",
    "ClassAttribute.choices": "of the type of the attribute",
    "MergeConflict.base": "a row of any table",
    "MergeConflict.ours": "a row of any table",
    "MergeConflict.theirs": "a row of any table",
    "MergeConflict.resolution": "a value for a field of any table",
}
"""Values without a shape of their own, and why."""

_FORMATS = jsonschema.FormatChecker(["date"])


@_FORMATS.checks("date-time", raises=ValueError)
def _is_time(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


@cache
def document() -> dict[str, Any]:
    """The OpenAPI document."""
    return server.openapi()


@cache
def _templates() -> list[tuple[re.Pattern[str], str]]:
    """Every path as a pattern, those with the longest literal text first: a parameter may hold slashes."""

    def literal(path: str) -> int:
        return len(re.sub(r"\{[^}]*\}", "", path))

    paths = sorted(document()["paths"], key=literal, reverse=True)
    return [(re.compile(re.sub(r"\\\{[^}]*\\\}", ".+", re.escape(path))), path) for path in paths]


def operation_at(method: str, path: str) -> dict[str, Any] | None:
    """The operation that answers a request; None outside of the API."""
    for pattern, template in _templates():
        methods: dict[str, Any] = document()["paths"][template]
        if method.lower() in methods and pattern.fullmatch(path):
            return dict(methods[method.lower()])
    return None


@cache
def _validator(operation_id: str, status: str, kind: str) -> Any:
    operations = (one for path in document()["paths"].values() for one in path.values())
    (operation,) = (one for one in operations if one["operationId"] == operation_id)
    schema = operation["responses"][status]["content"][kind]["schema"]
    whole = {**schema, "components": document()["components"]}
    return jsonschema.Draft202012Validator(whole, format_checker=_FORMATS)


class Described:
    """An event hook of a client. `answered` holds the operations whose success was held against the document."""

    def __init__(self) -> None:
        self.answered: set[str] = set()

    def watch(self, client: Client) -> Client:
        """The client, whose answers are checked from now on."""
        client.event_hooks = {"request": [], "response": [self.check]}
        return client

    def check(self, response: httpx.Response) -> None:
        """Raises: AssertionError, where the status, the media type or the body differ from the document."""
        operation = operation_at(response.request.method, response.request.url.path)
        if operation is None:
            return
        name, status = operation["operationId"], str(response.status_code)
        if response.is_redirect:
            if status in operation["responses"]:
                self.answered.add(name)
            return
        if response.is_success:
            assert status in operation["responses"], f"{name} answers {status}, which is not described"
            self.answered.add(name)
        else:
            status = "default"
        response.read()
        self._check_body(name, status, operation["responses"][status], response)

    def _check_body(
        self, name: str, status: str, described: Mapping[str, Any], response: httpx.Response
    ) -> None:
        content = described.get("content", {})
        if not content:
            assert response.content == b"", f"{name} answers a body, and none is described"
            return
        kind = response.headers["content-type"].partition(";")[0]
        if "*/*" in content:
            return
        assert kind in content, f"{name} answers {kind}, and {list(content)} is described"
        if kind.endswith("json"):
            errors = _validator(name, status, kind).iter_errors(response.json())
            told = [f"{error.json_path}: {error.message[:300]}" for error in errors]
            assert not told, f"{name} does not answer what is described: " + "; ".join(told[:5])
